"""One test of the suite runs over every store, over every registry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.registry import Registry
from collector.store import Store
from tests.registries import openers as registries
from tests.stores import openers as stores


@pytest.fixture(params=sorted(stores.OPENERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with stores.OPENERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=sorted(registries.OPENERS))
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    with registries.OPENERS[request.param](tmp_path) as opened:
        yield opened
