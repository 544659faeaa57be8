"""Several workers, where that is honest: what measures, or takes displays, printers or links, does it alone.

``tests/machine``, ``tests/e2e`` and the drivers' contract run in one worker, in order; files that share a Prometheus in
one, too; every other file runs whole in whichever worker is free.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from collector import secret

_ALONE = ("tests/machine/", "tests/e2e/", "tests/contract/test_driver.py")
_SHARED = "tests/integration/test_prometheus_"

# Of the small matrices here, a second thread of the algebra only waits, busily, and takes a core from the other worker.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class _Sharing(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_ALONE):
            return "machine"
        return "prometheus" if nodeid.startswith(_SHARED) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Sharing:
    """Say which tests may not be beside which; asked by pytest-xdist only when there is more than one worker."""
    config.option.loadscopereorder = False  # as collected: files of one long test would come last, and one worker idle
    return _Sharing(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what one worker does in order, the longest of all; small files of units come last."""
    items.sort(key=lambda item: not item.nodeid.startswith(_ALONE))


@pytest.fixture(autouse=True)
def forgotten_secrets() -> Iterator[None]:
    """What one test resolves as a secret is an ordinary word in the next: `user` must not be hidden there."""
    before = set(secret._known)
    yield
    secret._known.intersection_update(before)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of certificates that nothing but a test knows."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """What is entered here ends with the test."""
    with ExitStack() as stack:
        yield stack
