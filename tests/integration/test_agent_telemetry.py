"""Runs as OpenTelemetry traces and metrics, read by a real receiver with the protocol's own messages."""

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector.model.access import Access, Link, Presentation
from collector.model.run import Outcome, Phase, Run, StepTiming
from probes.agent.telemetry import Telemetry
from probes.journey.file import Journey, parse
from tests.agents.rig import JOURNEY

pytestmark = pytest.mark.integration
STARTED = datetime(2026, 11, 23, 9, 35, 2, 250_000, tzinfo=UTC)
KINDS: dict[str, tuple[Any, Any]] = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


class Receiver:
    """An OTLP/HTTP receiver on loopback that keeps what it decoded."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.tokens: set[str | None] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request, response = KINDS[self.path]
                message = request.FromString(body)
                outer.tokens.add(self.headers.get("X-Token"))
                (outer.traces if self.path == "/v1/traces" else outer.metrics).append(message)
                answer = response().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    live = Receiver()
    yield live
    live.close()


@pytest.fixture
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    text = JOURNEY.format(url="http://127.0.0.1:9").replace("  - step: search\n", "  - step: search\n    think: 1 s\n")
    return parse(text, tmp_path_factory.mktemp("journey") / "cases.yaml")


def a_run(journey: Journey, last: StepTiming) -> Run:
    login = StepTiming(step="login", outcome=Outcome.OK, seconds=0.5, phases={Phase.PROCESSING: 0.4}, http_status=200)
    return Run(
        run_id="0af7651916cd43dd8448eb211c80319c", site="test", endpoint="desk-1",
        access=Access(link=Link.WIFI, presentation=Presentation.LOCAL), journey="cases", journey_hash=journey.hash,
        slot=STARTED, started_at=STARTED, seconds=0.5, outcome=last.outcome, steps=(login, last),
    )  # fmt: skip


def attributes(holder: object) -> dict[str, object]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value"))
        for one in holder.attributes  # type: ignore[attr-defined]
    }


def exported(receiver: Receiver, run: Run, journey: Journey) -> None:
    telemetry = Telemetry(f"{receiver.url}/", headers={"X-Token": "t0k"}, site="test", name="desk-1")
    telemetry.export(run, journey)
    telemetry.close()


def test_a_run_is_a_trace_with_its_own_id_and_true_times(receiver: Receiver, journey: Journey) -> None:
    search = StepTiming(step="search", outcome=Outcome.SLOW, seconds=2.0, target_seconds=1.0)
    exported(receiver, a_run(journey, search), journey)
    spans = {
        span.name: span
        for each in receiver.traces
        for one in each.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    }
    root = spans["cases"]
    assert {span.trace_id.hex() for span in spans.values()} == {"0af7651916cd43dd8448eb211c80319c"}
    assert root.parent_span_id == b""
    assert {spans["login"].parent_span_id, spans["search"].parent_span_id} == {root.span_id}

    def seconds(nanoseconds: int) -> float:
        return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds / 1000) - STARTED).total_seconds()

    times = {name: (seconds(s.start_time_unix_nano), seconds(s.end_time_unix_nano)) for name, s in spans.items()}
    assert times == {"cases": (0.0, 3.5), "login": (0.0, 0.5), "search": (1.5, 3.5)}
    assert all(attributes(span)["user_agent.synthetic.type"] == "test" for span in spans.values())
    assert attributes(spans["login"])["whichlayer.phase.processing"] == 0.4
    assert attributes(spans["login"])["http.response.status_code"] == 200
    assert receiver.tokens == {"t0k"}


def test_a_timeout_is_an_error_span_and_no_duration(receiver: Receiver, journey: Journey) -> None:
    search = StepTiming(
        step="search",
        outcome=Outcome.TIMEOUT,
        seconds=10.0,
        censored=True,
        error_kind="timeout",
        error="no answer in 10 s",
    )
    exported(receiver, a_run(journey, search), journey)
    spans = [
        span
        for each in receiver.traces
        for one in each.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]
    wrong = {span.name: span.status.message for span in spans if span.status.code == 2}
    assert wrong == {"cases": "timeout", "search": "no answer in 10 s"}
    points = [
        (point, metric.name, metric.unit)
        for each in receiver.metrics
        for one in each.resource_metrics
        for scope in one.scope_metrics
        for metric in scope.metrics
        for point in metric.histogram.data_points
    ]
    ((point, name, unit),) = points
    assert (name, unit, point.count, point.sum) == ("whichlayer.journey.step.duration", "s", 1, 0.5)
    assert attributes(point)["whichlayer.step.name"] == "login"


def test_a_receiver_that_is_away_costs_nothing_but_its_own_data(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("CRITICAL"):
        gone = Receiver()
        gone.close()
        exported(gone, a_run(journey, StepTiming(step="search", outcome=Outcome.OK, seconds=0.1)), journey)
    assert gone.traces == []
