"""What several files of these tests share; ``tests/conftest.py`` keeps such files in one worker."""

from collections.abc import Iterator

import pytest

from tests.peers import monitoring as peers
from tests.peers.monitoring import Monitoring


@pytest.fixture(scope="session")
def monitoring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    """A Prometheus with its exporters and a past, started once."""
    with peers.monitoring(tmp_path_factory.mktemp("monitoring")) as told:
        yield told


@pytest.fixture
def prometheus(monitoring: Monitoring) -> str:
    """Its address."""
    return monitoring.prometheus
