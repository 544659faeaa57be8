"""How the suite of tests/contract opens each kind of store, empty."""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from starlette.testclient import TestClient

from collector.app import create
from collector.registries.database import DatabaseRegistry
from collector.registry import Scope
from collector.settings import CollectorSettings
from collector.store import Store
from collector.stores.lake import LakeStore
from collector.stores.memory import MemoryStore
from collector.stores.remote import RemoteStore


@cache
def _new_lake() -> Path:
    """Make one lake for all: the steps of its schema take longer than most tests of a store."""
    folder = Path(tempfile.mkdtemp(prefix="new-lake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    LakeStore(folder, flush_seconds=None).close()
    return folder


@contextmanager
def _lake(folder: Path) -> Iterator[LakeStore]:
    if not (folder / "lake").exists():
        shutil.copytree(_new_lake(), folder, dirs_exist_ok=True)
    with closing(LakeStore(folder, flush_seconds=None)) as store:
        yield store


@contextmanager
def _memory(_folder: Path) -> Iterator[Store]:
    with closing(MemoryStore()) as store:
        yield store


@contextmanager
def _remote(folder: Path) -> Iterator[Store]:
    now = datetime.now(UTC)
    with (
        _lake(folder) as lake,
        closing(DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")) as registry,
        TestClient(create(store=lake, registry=registry, settings=CollectorSettings())) as client,
    ):
        given = registry.enrol(registry.invite("operator", scope=Scope.OPERATOR, now=now), now=now)
        assert given is not None
        with closing(RemoteStore("http://testserver", given.token, client=client)) as store:
            yield store


OPENERS: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    "memory": _memory,
    "lake": _lake,
    "remote": _remote,
}
