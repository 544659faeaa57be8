"""Bodies of one sender for the bench of peers: the same series in each, one sample of each a second apart."""

import gzip
import json
import struct
import time
from collections.abc import Sequence

import cramjam
import pyarrow as pa
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collector.api.remote_write_messages import TimeSeries, WriteRequest
from collector.stores._batch import to_ipc

_METRICS = 20  # of one OTLP body: its points are divided among them


def remote_write(sender: int, rows: int, count: int) -> Sequence[bytes]:
    """Make bodies of Prometheus remote write 1.0, of ``rows`` series with one sample each, the last one now."""
    labels = {"__name__": "bench_queue", "instance": f"app{sender}:9100", "job": "bench"}
    labels |= {"region": "north", "whichlayer_layer": "application"}
    heads = [
        TimeSeries(labels=[{"name": n, "value": v} for n, v in (labels | {"queue": str(one)}).items()])
        for one in range(rows)
    ]
    for head in heads:
        head.labels.sort(key=lambda label: label.name)
    known = [head.SerializeToString() for head in heads]
    bodies = []
    for number, second in enumerate(_seconds(count)):
        at = TimeSeries(samples=[{"timestamp": second * 1000}]).SerializeToString()[-7:]
        tails = [b"\x12\x10\x09" + struct.pack("<d", one + number + 0.5) + at for one in range(rows)]
        request = WriteRequest(timeseries=[head + tail for head, tail in zip(known, tails, strict=True)])
        bodies.append(bytes(cramjam.snappy.compress_raw(request.SerializeToString())))
    return bodies


def otlp(sender: int, rows: int, count: int) -> Sequence[bytes]:
    """Make gzipped bodies of OTLP metrics, of gauges with ``rows`` points in all, as a collector sends them."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in {"service.name": f"app{sender}", "whichlayer.layer": "application"}.items():
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_metrics.add()
    scope.scope.name = "bench"
    metrics = [scope.metrics.add(name=f"bench.gauge.{number}", unit="1").gauge for number in range(_METRICS)]
    for one in range(rows):
        point = metrics[one % _METRICS].data_points.add()
        for key, value in {"queue": str(one), "region": "north", "http.route": "/cases/{id}"}.items():
            point.attributes.add(key=key).value.string_value = value
    points = [point for metric in metrics for point in metric.data_points]
    bodies = []
    for number, second in enumerate(_seconds(count)):
        for one, point in enumerate(points):
            point.time_unix_nano = second * 10**9
            point.as_double = one + number + 0.5
        bodies.append(gzip.compress(request.SerializeToString(), 1))
    return bodies


def arrow(sender: int, rows: int, count: int) -> Sequence[bytes]:
    """Make Arrow IPC streams of ``rows`` samples, words that repeat written once."""
    words = {"site": "bench", "component": f"app{sender}", "layer": "application", "metric": "bench_arrow"}
    columns = {name: pa.array([word] * rows).dictionary_encode() for name, word in words.items()}
    labels = pa.array([json.dumps({"queue": str(one)}) for one in range(rows)])
    bodies = []
    for number, second in enumerate(_seconds(count)):
        at = pa.array([second * 10**6] * rows, pa.timestamp("us"))
        values = pa.array([one + number + 0.5 for one in range(rows)])
        bodies.append(to_ipc(pa.table({"at": at, "value": values, "labels": labels, **columns})))
    return bodies


def _seconds(count: int) -> range:
    now = int(time.time())
    return range(now - count, now)
