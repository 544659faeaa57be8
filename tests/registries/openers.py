"""How the suite of tests/contract opens each kind of registry, empty."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from collector.app import create
from collector.registries.database import DatabaseRegistry
from collector.registries.remote import RemoteRegistry
from collector.registry import Registry, Scope
from collector.settings import CollectorSettings
from collector.stores.memory import MemoryStore
from tests.doors.knock import enrolled


@contextmanager
def _database(folder: Path) -> Iterator[Registry]:
    with closing(DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")) as registry:
        yield registry


@contextmanager
def _remote(folder: Path) -> Iterator[Registry]:
    with closing(DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")) as database:
        token = enrolled(database, Scope.OPERATOR, "operator").token
        app = create(store=MemoryStore(), registry=database, settings=CollectorSettings())
        with TestClient(app) as client, closing(RemoteRegistry("http://testserver", token, client=client)) as remote:
            yield remote


OPENERS: dict[str, Callable[[Path], AbstractContextManager[Registry]]] = {"database": _database, "remote": _remote}
