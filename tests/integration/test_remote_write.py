"""Prometheus remote write by hand, 1.0 and 2.0: what is kept, what is counted, what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.knock import NOW, Collector, collector
from tests.doors.remote_write import ONE, STALE, TWO, first, headers, number, packed, part, second, series

AT = int(NOW.timestamp()) * 1000
CPU = {"__name__": "node_cpu_seconds_total", "cpu": "0", "instance": "app01:9100", "job": "node", "mode": "idle"}
MEMORY = {"__name__": "node_memory_MemAvailable_bytes", "instance": "app01:9100"}
OWN = {"__name__": "queue_length", "instance": "app01:80", "whichlayer_layer": "application", "queue": "in"}
READS = {"__name__": "node_disk_reads_completed_total", "instance": "db:9100", "device": "sda"}
READING = READS | {"__name__": "node_disk_read_time_seconds_total"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("write"), remote_write={"components": {"app01": "app-1"}}) as running:
        yield running


def send(here: Collector, body: bytes, kind: str = ONE, door: str = "/api/v1/write") -> Any:
    return here.client.post(door, content=body, headers=here.as_agent() | headers(kind))


def of(here: Collector, minute: int, metric: str) -> list[dict[str, Any]]:
    moment = NOW.replace(tzinfo=None, minute=minute)
    return [row for row in here.rows("samples") if row["metric"] == metric and row["at"] == moment]


def at(minute: int) -> int:
    return AT + minute * 60_000


@pytest.mark.parametrize(("kind", "minute"), [(ONE, 1), (TWO, 2)])
def test_a_gauge_of_a_mapping_and_one_that_says_its_layer_are_kept(here: Collector, kind: str, minute: int) -> None:
    unknown = {"__name__": "nobody_knows", "instance": "app01:9100"}
    written = [(MEMORY, [(5e9, at(minute))]), (OWN, [(0.0, at(minute))]), (unknown, [(1.0, at(minute))])]
    body = second(*written) if kind == TWO else first(*(series(labels, *points) for labels, points in written))
    for _ in range(2):  # the same again is stored once
        answer = send(here, body, kind)
        assert answer.status_code == 204, answer.text
        assert answer.headers["x-prometheus-remote-write-samples-written"] == "2"
        assert answer.headers["x-prometheus-remote-write-histograms-written"] == "0"
    (memory,) = of(here, minute, "system.memory.available")
    assert (memory["component"], memory["layer"], memory["value"]) == ("app-1", "app_server", 5e9)
    assert json.loads(memory["labels"]) == {"product": "node_exporter"}
    (own,) = of(here, minute, "queue_length")
    assert (own["component"], own["layer"], own["value"]) == ("app-1", "application", 0.0)
    assert json.loads(own["labels"]) == {"instance": "app01:80", "queue": "in"}


def test_series_that_come_again_are_kept_beside_new_ones_and_zeros(here: Collector) -> None:
    queues = [OWN | {"queue": f"again-{one}"} for one in range(3)]
    for minute, values in ((51, (1.0, 2.0)), (52, (0.0, 4.0, 5.0)), (53, (6.0, 7.0, 8.0))):
        body = first(*(series(queue, (value, at(minute))) for queue, value in zip(queues, values, strict=False)))
        assert send(here, body).status_code == 204
        assert sorted(row["value"] for row in of(here, minute, "queue_length")) == list(values)


def test_a_counter_becomes_a_rate_and_its_reset_no_value(here: Collector) -> None:
    for minute, value in ((11, 1000.0), (12, 1045.0), (13, 3.0), (14, 63.0)):
        assert send(here, first(series(CPU, (value, at(minute))))).status_code == 204
    assert of(here, 11, "system.cpu.utilization") == []  # the first has nothing to grow from
    (row,) = of(here, 12, "system.cpu.utilization")
    assert (row["value"], row["period_seconds"], row["component"]) == (0.25, 60.0, "app-1")
    assert json.loads(row["labels"]) == {"cpu": "0", "job": "node", "product": "node_exporter"}
    assert of(here, 13, "system.cpu.utilization") == []
    assert of(here, 14, "system.cpu.utilization")[0]["value"] == 0.0
    assert 'outcome="reset"' in here.client.get("/metrics", headers=here.as_operator()).text


def test_two_counters_become_a_mean_whichever_comes_first_and_in_whichever_body(here: Collector) -> None:
    bodies = [
        first(series(READS, (100.0, at(21))), series(READING, (1.0, at(21)))),
        first(series(READING, (1.5, at(22)))),
        first(series(READS, (200.0, at(22)))),
        first(series(READS, (200.0, at(23))), series(READING, (1.5, at(23)))),  # no operation: no sample
    ]
    for body in [*bodies, *bodies]:  # and all of them again: nothing is stored twice
        assert send(here, body).status_code == 204
    (row,) = of(here, 22, "system.disk.read.await")
    assert (row["component"], row["value"]) == ("db-sda", pytest.approx(0.005))
    assert of(here, 21, "system.disk.read.await") == of(here, 23, "system.disk.read.await") == []


def test_the_end_of_a_series_and_what_is_no_number_are_no_values(here: Collector) -> None:
    body = first(series(OWN, (STALE, at(31)), (float("nan"), at(31)), (float("inf"), at(31)), (7.0, at(31))))
    answer = send(here, body, door="/v1/remote-write")
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "2"  # a value, and an end taken note of
    assert [row["value"] for row in of(here, 31, "queue_length")] == [7.0]


def test_fields_in_another_order_histograms_and_exemplars_are_read(here: Collector) -> None:
    histogram, exemplar = part(4, b"\x08\x01"), part(3, b"")
    turned = part(2, b"\x10" + number(at(41)) + b"\x09" + bytes(6) + b"\xf0\x3f") + series(OWN)
    body = first(turned, series(OWN | {"queue": "out"}, (2.0, at(41)), more=exemplar + histogram))
    assert send(here, body).headers["x-prometheus-remote-write-samples-written"] == "2"
    assert sorted(row["value"] for row in of(here, 41, "queue_length")) == [1.0, 2.0]
    page = here.client.get("/metrics", headers=here.as_operator()).text
    assert 'whichlayer_remote_write_samples_total{outcome="histogram"} 1.0' in page


@pytest.mark.parametrize("kind", ["application/x-protobuf;proto=io.prometheus.write.v3.Request", "application/json"])
def test_another_message_is_refused(here: Collector, kind: str) -> None:
    assert send(here, first(), kind).status_code == 415


def test_a_body_that_would_inflate_too_far_is_refused_before_it_does(tmp_path: Path) -> None:
    with collector(tmp_path, limits={"inflated_bytes": 10_000}) as here:
        assert send(here, packed(bytes(50_000))).status_code == 413
        assert send(here, first(series(OWN, (1.0, AT)))).status_code == 204
