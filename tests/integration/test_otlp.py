"""OTLP/HTTP metrics, sent by hand and by the real exporter."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from collector.api.otlp_decode import NotOtlp, decode
from collector.store import Slice
from tests.doors.knock import NOW, Collector, collector

PROTOBUF = "application/x-protobuf"
SECOND = 10**9
AT = int(NOW.timestamp()) * SECOND


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("otlp")) as running:
        yield running


def request(**attributes: str) -> tuple[ExportMetricsServiceRequest, Any]:
    """An empty request with one resource; give it and its scope."""
    made = ExportMetricsServiceRequest()
    resource = made.resource_metrics.add()
    for key, value in attributes.items():
        resource.resource.attributes.add(key=key.replace("_", ".")).value.string_value = value
    return made, resource.scope_metrics.add()


def gauge(scope: Any, name: str, value: float, at: int = AT) -> Any:
    return scope.metrics.add(name=name).gauge.data_points.add(time_unix_nano=at, as_double=value)


def decoded(made: ExportMetricsServiceRequest) -> tuple[list[dict[str, Any]], int, str]:
    result = decode(made.SerializeToString(), json_body=False, site="s")
    return result.rows.to_pylist(), result.rejected, result.reason


def kept(here: Collector, component: str) -> list[dict[str, Any]]:
    period = Slice(start=NOW - timedelta(days=900), end=NOW + timedelta(days=900), where={"component": [component]})
    rows: list[dict[str, Any]] = here.store.scan("samples", period).to_pylist()
    return rows


def send(here: Collector, body: bytes, **headers: str) -> Any:
    return here.client.post("/v1/metrics", content=body, headers=here.as_agent(**{"Content_Type": PROTOBUF} | headers))


def test_a_gauge_is_its_value_with_labels_and_layer() -> None:
    made, scope = request(host_name="App 1")
    point = gauge(scope, "system.cpu.utilization", 0.5)
    point.attributes.add(key="cpu").value.int_value = 3
    (row,), rejected, _ = decoded(made)
    assert (row["component"], row["layer"], row["value"], rejected) == ("app-1", "app_server", 0.5, 0)
    assert row["at"].isoformat() == "2026-11-23T09:00:00"
    assert json.loads(row["labels"]) == {"cpu": "3"}
    assert row["period_seconds"] is None


@pytest.mark.parametrize(
    ("attributes", "component"),
    [
        ({"whichlayer_component": "c", "service_name": "s", "host_name": "h"}, "c"),
        ({"service_name": "s", "host_name": "h"}, "s"),
        ({"service_name": "unknown_service:python", "host_name": "h"}, "h"),
    ],
)
def test_the_component_is_the_most_telling_name(attributes: dict[str, str], component: str) -> None:
    made, scope = request(**attributes)
    gauge(scope, "system.cpu.utilization", 0.5)
    assert decoded(made)[0][0]["component"] == component


def test_the_layer_is_what_is_said_else_the_catalogues() -> None:
    made, scope = request(host_name="h", whichlayer_layer="virtualisation")
    gauge(scope, "own.metric", 1)
    point = gauge(scope, "own.other", 1)
    point.attributes.add(key="whichlayer.layer").value.string_value = "storage"
    assert [row["layer"] for row in decoded(made)[0]] == ["virtualisation", "storage"]


def test_a_growing_sum_is_a_rate_if_delta_and_a_total_if_cumulative() -> None:
    made, scope = request(host_name="h")
    for temporality in ("DELTA", "CUMULATIVE"):
        total = scope.metrics.add(name="system.paging.in").sum
        total.is_monotonic = True
        total.aggregation_temporality = getattr(AggregationTemporality, f"AGGREGATION_TEMPORALITY_{temporality}")
        total.data_points.add(start_time_unix_nano=AT - 10 * SECOND, time_unix_nano=AT, as_int=50)
    rows, _, _ = decoded(made)
    found = {row["metric"]: (row["value"], row["period_seconds"]) for row in rows}
    assert found["system.paging.in"] == (5.0, 10.0)
    assert {name: value for name, (value, _) in found.items() if name.endswith(".total")} == {
        "system.paging.in.total": 50.0
    }


def test_a_sum_that_can_fall_is_its_value() -> None:
    made, scope = request(host_name="h")
    scope.metrics.add(name="db.connections.active").sum.data_points.add(time_unix_nano=AT, as_int=7)
    assert decoded(made)[0][0]["value"] == 7


@pytest.mark.parametrize("kind", ["histogram", "exponential_histogram", "summary"])
def test_a_histogram_is_its_mean_and_its_count(kind: str) -> None:
    made, scope = request(host_name="h")
    points = getattr(scope.metrics.add(name="storage.write.latency"), kind).data_points
    points.add(start_time_unix_nano=AT - 5 * SECOND, time_unix_nano=AT, count=4, sum=2.0)
    points.add(start_time_unix_nano=AT, time_unix_nano=AT + 5 * SECOND, count=0)
    rows, _, _ = decoded(made)
    assert [(row["metric"], row["value"]) for row in rows] == [
        ("storage.write.latency.count", 4),
        ("storage.write.latency", 0.5),
        ("storage.write.latency.count", 0),
    ]
    assert rows[1]["period_seconds"] == 5.0


def test_points_that_cannot_be_kept_are_counted_with_the_reason() -> None:
    made, scope = request(host_name="h")
    gauge(scope, "system.cpu.utilization", float("nan"))
    gauge(scope, "system.cpu.utilization", 0.5)
    gauge(scope, "system.cpu.utilization", 0.5, at=0)
    gauge(scope, "nobody.knows", 0.5)
    gauge(scope, "system.cpu.utilization", 0.5).flags = 1
    rows, rejected, reason = decoded(made)
    assert (len(rows), rejected) == (1, 4)
    assert "finite" in reason
    made, scope = request()
    gauge(scope, "system.cpu.utilization", 0.5)
    assert "whichlayer.component, service.name, host.name" in decoded(made)[2]


def test_a_series_that_comes_again_and_points_in_any_layout_are_read_alike() -> None:
    made, scope = request(host_name="h", whichlayer_layer="storage")
    points = scope.metrics.add(name="own.gauge").gauge.data_points
    for number in range(12):
        point = points.add(start_time_unix_nano=AT - SECOND, time_unix_nano=AT, as_int=number)
        point.attributes.add(key="n").value.int_value = number
    first, second = decoded(made), decoded(made)
    assert first == second
    assert [(row["value"], json.loads(row["labels"]), row["period_seconds"]) for row in first[0]] == [
        (float(number), {"n": str(number)}, 1.0) for number in range(12)
    ]
    points[0].ClearField("start_time_unix_nano")  # its fields are now in other places than those of the rest,
    points[1].exemplars.add(as_double=1.0)  # and of this one more than attributes comes after
    points[2].flags = 1
    rows, rejected, reason = decoded(made)
    assert sorted(row["value"] for row in rows) == [0.0, 1.0, *map(float, range(3, 12))]
    assert (rejected, "no recorded value" in reason) == (1, True)
    assert {row["value"] for row in rows if row["period_seconds"] is None} == {0.0}


@pytest.mark.parametrize(
    ("body", "as_json"), [(b"\xff\xff", False), (b"{", True), (b"[1]", True), (b"[]", True), (b"\xff", True)]
)
def test_what_is_no_otlp_is_refused(body: bytes, as_json: bool) -> None:
    with pytest.raises(NotOtlp):
        decode(body, json_body=as_json, site="s")


def test_points_from_the_future_are_kept_and_counted(here: Collector) -> None:
    made, scope = request(host_name="early-1")
    gauge(scope, "system.cpu.utilization", 0.5, at=AT + 3600 * SECOND)
    gauge(scope, "system.cpu.utilization", 0.5)
    assert send(here, made.SerializeToString()).status_code == 200
    page = here.client.get("/metrics", headers=here.as_operator()).text
    assert "whichlayer_rows_in_the_future_total 1.0" in page


def test_the_door_keeps_protobuf_once_and_answers_protobuf(here: Collector) -> None:
    made, scope = request(host_name="door-1")
    gauge(scope, "system.cpu.utilization", 0.5)
    gauge(scope, "nobody.knows", 0.5)
    for _ in range(2):
        answer = send(here, gzip.compress(made.SerializeToString()), Content_Encoding="gzip")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == PROTOBUF
        told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
        assert told.rejected_data_points == 1
        assert "nobody.knows" in told.error_message
    assert len(kept(here, "door-1")) == 1


def test_the_door_speaks_json_too(here: Collector) -> None:
    made, scope = request(host_name="door-2")
    gauge(scope, "system.cpu.utilization", 0.5)
    answer = send(here, MessageToJson(made).encode(), Content_Type="application/json")
    assert (answer.status_code, answer.json()) == (200, {})
    assert kept(here, "door-2")[0]["site"] == "test-site"


def test_the_door_refuses_what_is_no_otlp(here: Collector) -> None:
    answer = send(here, b"\xff\xff")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert send(here, b"{}", Content_Type="text/plain").status_code == 415


def test_the_real_exporter_is_understood(here: Collector) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(here.client.app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        exporter = OTLPMetricExporter(
            endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}/v1/metrics",
            headers={"Authorization": f"Bearer {here.agent.token}"},
            compression=Compression.Gzip,
            timeout=30,
        )
        provider = MeterProvider(
            metric_readers=[PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
            resource=Resource({"service.name": "case-app", "whichlayer.layer": "application"}),
        )
        histogram = provider.get_meter("m").create_histogram("http.server.request.duration", unit="s")
        for seconds in (0.1, 0.3):
            histogram.record(seconds, {"http.route": "/cases"})
        assert provider.force_flush()
        provider.shutdown()
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
    rows = {row["metric"]: row for row in kept(here, "case-app")}
    assert rows["http.server.request.duration"]["value"] == pytest.approx(0.2)
    assert rows["http.server.request.duration.count"]["value"] == 2
    assert rows["http.server.request.duration"]["layer"] == "application"
