"""What a sender loses at the doors is noted for the ledger: of whom, how much, why, and nothing of what it held."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind
from tests.doors.knock import NOW, Collector, collector, runs
from tests.doors.remote_write import first, headers, series

AT = int(NOW.timestamp()) * 1000
CANARY = "c4nary-S3cret"
CPU = {"__name__": "node_cpu_seconds_total", "cpu": "0", "instance": "app01:9100", "job": "node", "mode": "idle"}
MEMORY = {"__name__": "node_memory_MemAvailable_bytes", "instance": "app01:9100"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("noted")) as running:
        yield running


def noted(here: Collector) -> list[QualityEvent]:
    events: list[QualityEvent] = here.client.app.state.doors.notes.take()  # type: ignore[attr-defined]
    return events


def written(here: Collector, *body: bytes) -> None:
    answer = here.client.post("/api/v1/write", content=first(*body), headers=here.as_agent() | headers())
    assert answer.status_code == 204, answer.text


def test_a_batch_that_is_refused_is_noted_without_what_was_in_it(tmp_path: Path) -> None:
    with collector(tmp_path) as here:
        bad: dict[str, Any] = runs(1)
        bad["runs"][0]["seconds"] = f"password {CANARY}"
        for _ in range(3):
            assert here.send("/v1/runs", bad).status_code == 422
        (event,) = noted(here)
    assert (event.kind, event.subject, event.unit, event.amount) == (
        QualityKind.REJECTED_ROWS, "ward-3-pc", "batches", 3.0
    )  # fmt: skip
    assert event.detail.startswith("/v1/runs: runs.0.seconds: ")
    assert CANARY not in event.detail


def test_strangers_operators_and_doors_that_take_no_facts_lose_nothing(here: Collector) -> None:
    stranger = {"Authorization": "Bearer nobody", "Content-Type": "application/json"}
    assert here.client.post("/v1/runs", content=b"{", headers=stranger).status_code == 401
    assert here.client.post("/v1/scan", json={"table": "runs"}, headers=here.as_operator()).status_code == 422
    assert here.send("/v1/accounts/a/lease", {"no": 1}).status_code == 422
    assert noted(here) == []


def test_an_agent_does_not_write_the_ledger(here: Collector) -> None:
    given = here.as_agent(Content_Type="application/vnd.apache.arrow.stream")
    answer = here.client.post("/v1/rows/ledger?sequence=1", content=b"", headers=given)
    assert (answer.status_code, here.rows("ledger")) == (403, [])


def test_a_counter_that_fell_and_values_that_are_none_are_noted_with_their_component(here: Collector) -> None:
    for minute, value in ((1, 1000.0), (2, 1045.0), (3, 3.0), (4, 63.0)):
        written(here, series(CPU, (value, AT + minute * 60_000)))
    written(here, series(MEMORY, (float("nan"), AT)), series({"__name__": "nobodys"}, (float("inf"), AT)))
    reset, lost = sorted(noted(here), key=lambda event: event.kind)
    assert (reset.kind, reset.subject, reset.amount) == (QualityKind.COUNTER_RESET, "app01", 1.0)
    assert reset.layers[0] in set(Layer)
    assert (lost.kind, lost.subject, lost.amount, lost.unit) == (QualityKind.REJECTED_ROWS, "ward-3-pc", 1.0, "rows")


def test_points_and_spans_that_otlp_leaves_out_are_noted(tmp_path: Path) -> None:
    gauge = {"dataPoints": [{"timeUnixNano": "1795424430000000000", "asDouble": 0.4}]}
    metrics = [{"name": "of.no.layer", "gauge": gauge}]
    resource = {"attributes": [{"key": "host.name", "value": {"stringValue": "app-1"}}]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    span = {"traceId": "12", "spanId": "00f067aa0ba902b7", "name": "x"}
    with collector(tmp_path) as here:
        assert here.send("/v1/metrics", body).status_code == 200
        assert here.send("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).status_code == 200
        (event,) = noted(here)
    assert (event.amount, event.unit) == (2.0, "rows")
    assert "of.no.layer" in event.detail
