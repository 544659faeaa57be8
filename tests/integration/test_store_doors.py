"""The doors of the store: columns from any agent, reading for operators only, every refusal a problem."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from collector import tables
from collector.app import create
from collector.registries.database import DatabaseRegistry
from collector.registry import Scope
from collector.settings import CollectorSettings
from collector.stores._batch import to_ipc
from collector.stores.memory import MemoryStore

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ARROW = "application/vnd.apache.arrow.stream"
ROWS = pa.Table.from_pylist(
    [
        {
            "at": tables.naive(NOW),
            "site": "north",
            "component": "lun-7",
            "layer": "storage",
            "metric": "storage.write.latency",
            "value": 0.004,
            "labels": "{}",
        }
    ],
    tables.SAMPLES,
)


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[tuple[TestClient, dict[Scope, str]]]:
    with (
        closing(MemoryStore()) as store,
        closing(DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")) as registry,
    ):
        tokens = {}
        for scope in Scope:
            given = registry.enrol(registry.invite(str(scope), scope=scope, now=NOW), now=NOW)
            assert given is not None
            tokens[scope] = f"Bearer {given.token}"
        with TestClient(create(store=store, registry=registry, settings=CollectorSettings())) as client:
            yield client, tokens


def test_columns_from_the_future_are_kept_and_counted(doors: tuple[TestClient, dict[Scope, str]]) -> None:
    client, tokens = doors
    aware = pa.chunked_array([pa.array([datetime(2100, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC"))])
    future = ROWS.set_column(ROWS.column_names.index("at"), "at", aware)
    headers = {"Authorization": tokens[Scope.AGENT], "Content-Type": ARROW}
    sent = [(1, future), (1, future), (2, ROWS.slice(0, 0))]
    for sequence, rows in sent:
        answer = client.post(f"/v1/rows/samples?sequence={sequence}", content=to_ipc(rows), headers=headers)
        assert answer.status_code == 204
    page = client.get("/metrics", headers={"Authorization": tokens[Scope.OPERATOR]}).text
    assert "whichlayer_rows_in_the_future_total 1.0" in page


def test_an_agent_sends_columns_once(doors: tuple[TestClient, dict[Scope, str]]) -> None:
    client, tokens = doors
    headers = {"Authorization": tokens[Scope.AGENT], "Content-Type": ARROW}
    answers = [client.post("/v1/rows/samples?sequence=1", content=to_ipc(ROWS), headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.headers["X-Whichlayer-New"]) for answer in answers] == [
        (204, "true"),
        (204, "false"),
    ]
    question = {"table": "samples", "start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
    found = client.post("/v1/scan", json=question, headers={"Authorization": tokens[Scope.OPERATOR]})
    assert pa.ipc.open_stream(found.content).read_all().equals(ROWS)


@pytest.mark.parametrize(
    ("path", "content", "kind", "status", "field"),
    [
        ("/v1/rows/samples?sequence=1", b"not arrow", ARROW, 422, None),
        ("/v1/rows/samples?sequence=1", to_ipc(ROWS), "application/json", 415, "Content-Type"),
        ("/v1/rows/samples", to_ipc(ROWS), ARROW, 422, "sequence"),
        ("/v1/rows/verdicts?sequence=1", to_ipc(ROWS), ARROW, 404, None),
        ("/v1/rows/runs?sequence=1", to_ipc(ROWS), ARROW, 422, "at"),
        ("/v1/rows/samples?sequence=1", bytes(9 << 20), ARROW, 413, None),
    ],
)
def test_columns_that_cannot_be_kept_are_refused(
    doors: tuple[TestClient, dict[Scope, str]], path: str, content: bytes, kind: str, status: int, field: str | None
) -> None:
    client, tokens = doors
    headers = {"Authorization": tokens[Scope.AGENT], "Content-Type": kind}
    answer = client.post(path, content=content, headers=headers)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["scan", "hourly", "flush", "pin", "maintain", "batches", "batches/samples"])
def test_only_an_operator_reads_and_decides(doors: tuple[TestClient, dict[Scope, str]], path: str) -> None:
    client, tokens = doors
    assert client.post(f"/v1/{path}", json={}).status_code == 401
    assert client.post(f"/v1/{path}", json={}, headers={"Authorization": tokens[Scope.AGENT]}).status_code == 403


EVER = '"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"'


@pytest.mark.parametrize(
    ("door", "body"),
    [
        ("scan", f'{{"table": "samples", {EVER}, "where": {{"metric": ["\\ud800"]}}}}'),
        ("scan", '{"table": "samples", "start": "0001-01-01T00:00:00+14:00", "end": "2027-01-01T00:00:00Z"}'),
        ("hourly", '{"start": "2026-01-01T00:00:00Z", "end": "9999-12-31T23:59:59-12:00"}'),
        ("maintain", '{"now": "0001-01-01T00:00:00Z"}'),
        ("registry/invite", '{"endpoint": "x", "scope": "agent", "now": "9999-12-31T23:59:59Z"}'),
        ("registry/verdicts", f'{{{EVER}, "limit": 99999999999999999999}}'),
        ("enrol", '{"code": "x", "endpoint": "\\ud800"}'),
    ],
)
def test_values_nothing_can_hold_are_refused(doors: tuple[TestClient, dict[Scope, str]], door: str, body: str) -> None:
    client, tokens = doors
    headers = {"Authorization": tokens[Scope.OPERATOR], "Content-Type": "application/json"}
    answer = client.post(f"/v1/{door}", content=body, headers=headers)
    assert answer.status_code == 422, answer.text


def test_the_status_is_for_operators(doors: tuple[TestClient, dict[Scope, str]]) -> None:
    client, tokens = doors
    assert client.get("/v1/store", headers={"Authorization": tokens[Scope.AGENT]}).status_code == 403
    found = client.get("/v1/store", headers={"Authorization": tokens[Scope.OPERATOR]}).json()
    assert (found["snapshot"], found["batches"]) == (0, 0)
