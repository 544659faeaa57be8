"""OTLP traces: spans of a run's servers become parts of its steps, and nothing else of them is kept."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from collector.model import trace
from collector.store import Slice
from collector.stores import _catalog
from collector.stores.lake import LakeStore
from dashboards.facts import walk
from tests.doors.knock import NOW, Collector, collector, run

pytestmark = pytest.mark.integration

PROTOBUF = "application/x-protobuf"
MILLISECOND = 10**6
AT = int(NOW.timestamp()) * 1000 * MILLISECOND
CANARY = "canary-77c1"
DOOR = "/v1/traces"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("spans")
    with collector(folder, store=LakeStore(folder / "data", flush_seconds=None)) as running:
        yield running


def request(number: int) -> dict[str, Any]:
    """One trace as OTLP/JSON: a request of 500 ms with a query of 300 ms in it, full of what must not be kept."""
    said = [{"key": name, "value": {"stringValue": CANARY}} for name in ("db.query.text", "enduser.id", "url.full")]
    database = [*said, {"key": "db.system.name", "value": {"stringValue": CANARY}}]
    run_id = f"{number:032x}"
    entry = {"spanId": "1" * 16, "parentSpanId": trace.span_id(run_id, 0, 0), "kind": 2, "attributes": said}
    query = {"spanId": "2" * 16, "parentSpanId": "1" * 16, "kind": 3, "attributes": database}
    for span, (start, end) in zip((entry, query), ((0, 500), (100, 400)), strict=True):
        times = {"startTimeUnixNano": str(AT + start * MILLISECOND), "endTimeUnixNano": str(AT + end * MILLISECOND)}
        span.update(times | {"traceId": run_id, "name": CANARY, "events": [{"name": CANARY}], "traceState": "a=b"})
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "Casebook"}}, *said]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [entry, query]}]}]}


def spans_of(made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return found


def kept(here: Collector, number: int) -> list[dict[str, Any]]:
    where = {"run_id": [f"{number:032x}"]}
    period = Slice(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1), where=where)
    rows: list[dict[str, Any]] = here.store.scan("server_parts", period).to_pylist()
    return rows


def foreign(here: Collector) -> float:
    page = here.client.get("/metrics", headers=here.as_operator()).text
    return float(page.split("\nwhichlayer_spans_foreign_total ")[1].split()[0])


def test_a_steps_server_time_is_divided_and_explain_says_by_what(here: Collector) -> None:
    body = gzip.compress(json.dumps(request(1)).encode())
    for _ in range(2):
        answer = here.client.post(DOOR, content=body, headers=here.as_agent(Content_Encoding="gzip"))
        assert (answer.status_code, answer.json()) == (200, {})
    (row,) = kept(here, 1)
    assert (row["service"], row["whole"], row["database"], row["spans"]) == ("casebook", 0.5, 0.3, 2)
    assert here.send("/v1/runs", {"sequence": 1, "runs": [run(1)]}).status_code == 204, "the run may come later"
    story = walk.find(here.store, here.registry, f"{1:032x}", NOW)
    assert story is not None
    assert story.steps[0]["server_db"] == pytest.approx(0.3)
    assert story.steps[0]["server_app"] == pytest.approx(0.2)
    assert walk.account(story.steps[0]) == "the application's spans"


def test_nothing_a_span_says_of_people_is_kept(here: Collector) -> None:
    here.send(DOOR, request(2))
    spool = b"".join(path.read_bytes() for path in (here.folder / "data").rglob("*") if path.is_file())
    assert f"{2:032x}".encode() in spool, "the trace is there, so the search can find something"
    here.store.flush()
    files = [path for path in (here.folder / "data").rglob("*") if path.is_file()]
    assert CANARY.encode() not in spool + b"".join(path.read_bytes() for path in files)
    assert CANARY not in str(kept(here, 2))


def test_spans_nobody_ran_are_counted_and_let_go(here: Collector) -> None:
    made, before = request(3), foreign(here)
    spans_of(made)[0]["parentSpanId"] = "3" * 16
    assert here.send(DOOR, made).json() == {}
    assert kept(here, 3) == []
    assert foreign(here) == before + 2


def test_a_service_behind_another_finds_its_step_by_the_trace_state(here: Collector) -> None:
    made = request(4)
    spans_of(made)[0] |= {"parentSpanId": "4" * 16, "traceState": "vendor=1,whichlayer=2"}
    here.send(DOOR, made)
    (row,) = kept(here, 4)
    assert (row["position"], row["nested"], row["whole"]) == (2, True, 0.5)


def test_what_is_worked_on_after_a_message_is_not_waited_for(here: Collector) -> None:
    made = request(5)
    spans_of(made)[0] |= {"parentSpanId": "4" * 16, "traceState": "whichlayer=2", "kind": 5}
    here.send(DOOR, made)
    assert kept(here, 5) == []


def test_a_wrong_span_is_told_and_the_others_are_kept(here: Collector) -> None:
    made = request(6)
    spans_of(made)[1]["spanId"] = "not hexadecimal"
    told = here.send(DOOR, made).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert "span id of 8" in told["errorMessage"]
    assert kept(here, 6)[0]["database"] == 0.0


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b'{"resourceSpans": 1}', b'{"resourceSpans": ["x"]}'])
def test_what_is_no_trace_is_refused(here: Collector, content: bytes) -> None:
    assert here.client.post(DOOR, content=content, headers=here.as_agent()).status_code == 400


def test_protobuf_is_answered_in_protobuf(here: Collector) -> None:
    made = ExportTraceServiceRequest()
    made.resource_spans.add().scope_spans.add().spans.add(trace_id=b"short")
    sent = here.client.post(DOOR, content=made.SerializeToString(), headers=here.as_agent(Content_Type=PROTOBUF))
    assert ExportTraceServiceResponse.FromString(sent.content).partial_success.rejected_spans == 1
    bad = here.client.post(DOOR, content=b"\xff\xff", headers=here.as_agent(Content_Type=PROTOBUF))
    assert bad.status_code == 400


@contextmanager
def listening(here: Collector) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(here.client.app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{DOOR}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def test_the_real_sdk_carries_a_request_to_its_step(here: Collector) -> None:
    run_id = f"{7:032x}"
    with listening(here) as url:
        exporter = OTLPSpanExporter(endpoint=url, headers={"Authorization": f"Bearer {here.agent.token}"}, timeout=30)
        provider = TracerProvider(resource=Resource({"service.name": "case-app"}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("app")
        came = TraceContextTextMapPropagator().extract(trace.headers(run_id, 3, 1))
        entry = tracer.start_span("GET", context=came, kind=SpanKind.SERVER, start_time=AT)
        state = entry.get_span_context().trace_state
        entry.end(AT + 100 * MILLISECOND)
        provider.shutdown()
    assert state.get(trace.MEMBER) == "3"
    (row,) = kept(here, 7)
    assert (row["position"], row["nested"], row["whole"], row["service"]) == (3, False, 0.1, "case-app")


@pytest.mark.parametrize(("step", "table"), [("0002", "server_parts"), ("0003", "ledger")])
def test_a_snapshot_older_than_the_table_has_no_rows_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, table: str
) -> None:
    full, early = _catalog._SCHEMA, tmp_path / "schema"
    early.mkdir()
    for path in full.glob("*.sql"):
        if not path.name.startswith(step):
            (early / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(_catalog, "_SCHEMA", early)
    with closing(LakeStore(tmp_path / "data", flush_seconds=None)) as store:
        old = store.status().snapshot
    monkeypatch.setattr(_catalog, "_SCHEMA", full)
    ever = Slice(start=NOW, end=NOW + timedelta(days=1))
    with closing(LakeStore(tmp_path / "data", flush_seconds=None)) as store:
        assert store.scan(table, ever, snapshot=old).num_rows == 0
        assert store.scan(table, ever).num_rows == 0
