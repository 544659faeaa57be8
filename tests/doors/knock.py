"""A collector in this process and what a sender needs to knock on its doors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from collector.app import create
from collector.registries.database import DatabaseRegistry
from collector.registry import Credentials, Registry, Scope
from collector.settings import CollectorSettings
from collector.store import Slice, Store
from collector.stores.memory import MemoryStore

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """The client, the parts behind it and two tokens."""

    client: TestClient
    folder: Path
    store: Store
    registry: Registry
    agent: Credentials
    operator: Credentials

    def send(self, door: str, body: Any, **headers: str) -> Any:
        """Send JSON as the agent."""
        return self.client.post(door, content=json.dumps(body), headers=self.as_agent(**headers))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Read everything the store holds of ``table``."""
        ever = Slice(start=NOW - timedelta(days=9000), end=NOW + timedelta(days=9000))
        found: list[dict[str, Any]] = self.store.scan(table, ever).to_pylist()
        return found

    def as_agent(self, **more: str) -> dict[str, str]:
        """Headers of the agent."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.agent.token}", "Content-Type": "application/json"} | named

    def as_operator(self) -> dict[str, str]:
        """Headers of the operator."""
        return {"Authorization": f"Bearer {self.operator.token}"}


@contextmanager
def collector(folder: Path, *, store: Store | None = None, **settings: Any) -> Iterator[Collector]:
    """Run a collector whose clock stands at NOW."""
    kept = store or MemoryStore()
    registry = DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    app = create(
        store=kept, registry=registry, settings=CollectorSettings(**settings), site="test-site", clock=lambda: NOW
    )
    agent, operator = enrolled(registry, Scope.AGENT), enrolled(registry, Scope.OPERATOR)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Collector(client=client, folder=folder, store=kept, registry=registry, agent=agent, operator=operator)
    kept.close()
    registry.close()


def enrolled(registry: Registry, scope: Scope, endpoint: str = "ward-3-pc") -> Credentials:
    """Enrol somebody."""
    given = registry.enrol(registry.invite(endpoint, scope=scope, now=NOW), now=NOW)
    assert given is not None
    return given


def run(number: int = 1, **changed: Any) -> dict[str, Any]:
    """One run as JSON."""
    step = {"step": "save", "outcome": "ok", "seconds": 0.84, "phases": {"processing": 0.61}, "http_status": 200}
    base = {
        "run_id": f"{number:032x}",
        "site": "test-site",
        "endpoint": "ward-3-pc",
        "access": {"link": "wifi", "presentation": "local"},
        "journey": "case-record",
        "journey_hash": "0123456789abcdef",
        "slot": "2026-11-23T08:59:00Z",
        "started_at": "2026-11-23T08:59:04Z",
        "seconds": 0.84,
        "outcome": "ok",
        "steps": [step],
    }
    return base | changed


def runs(sequence: int, *numbers: int) -> dict[str, Any]:
    """A batch of runs as JSON."""
    return {
        "sequence": sequence,
        "sent_at": "2026-11-23T09:00:00Z",
        "runs": [run(number) for number in numbers or (sequence,)],
    }
