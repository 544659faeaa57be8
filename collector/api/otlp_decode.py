"""OTLP metrics into rows of ``samples``. Runs in worker processes: the attribute loop holds the interpreter.

One data point gives one row, two for histograms:

- gauge, and a sum that can fall: the value as it is;
- a sum that only grows, with delta temporality: value per second over its period;
- the same, cumulative: the running total, under NAME.total;
- histogram (also exponential): the mean of its period under NAME, the number of values under NAME.count.

The component is ``whichlayer.component``, else ``service.name``, else ``host.name`` of the resource;
the layer is ``whichlayer.layer`` of the point or the resource, else what the catalogue says.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from google.protobuf.json_format import Parse, ParseError  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.layer import Layer
from collector.tables import SAMPLES, naive

_MOST_LABELS = 32
_LONGEST_LABEL = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_NANOSECONDS = 7_258_118_400 * 10**9  # the year 2200
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Rows that can be stored, how many points cannot, with the first reason, and how many are not ours to keep."""

    rows: pa.Table
    rejected: int
    reason: str
    foreign: int = 0


class NotOtlp(ValueError):
    """The body is not an ExportMetricsServiceRequest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One row to be: the suffix of its name and its value."""

    suffix: str
    value: float


def decode(body: bytes, *, json_body: bool, site: str) -> Decoded:
    """Decode one request. Raises NotOtlp."""
    request = _parsed(body, json_body=json_body)
    rows: list[dict[str, Any]] = []
    reasons: list[str] = []
    for resource_metrics in request.resource_metrics:
        resource = _attributes(resource_metrics.resource.attributes)
        for scope in resource_metrics.scope_metrics:
            for metric in scope.metrics:
                for point, values in _points(metric):
                    try:
                        rows += _rows(site, resource, metric.name, point, values)
                    except ValueError as error:
                        reasons.append(str(error))
    table = pa.Table.from_pylist(rows, SAMPLES)
    return Decoded(rows=table, rejected=len(reasons), reason=reasons[0] if reasons else "")


def _parsed(body: bytes, *, json_body: bool) -> Any:  # noqa: ANN401  generated classes
    request = ExportMetricsServiceRequest()
    if json_body and not body.lstrip().startswith(b"{"):  # the parser takes an empty list for an empty request
        raise NotOtlp("the body is not an OTLP metrics request: it is not a JSON object")
    try:
        if json_body:
            Parse(body, request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, ParseError, UnicodeDecodeError, RecursionError) as error:
        raise NotOtlp(f"the body is not an OTLP metrics request ({type(error).__name__})") from None
    return request


def _points(metric: Any) -> Iterator[tuple[Any, list[_Value]]]:  # noqa: ANN401  generated classes
    kind = metric.WhichOneof("data")
    if kind == "gauge":
        for point in metric.gauge.data_points:
            yield point, [_Value(suffix="", value=_number(point))]
    elif kind == "sum":
        for point in metric.sum.data_points:
            yield point, [_sum(metric.sum, point)]
    elif kind is not None:  # histogram, exponential_histogram and summary have a count and a sum
        for point in getattr(metric, kind).data_points:
            yield point, _histogram(point)


def _sum(metric: Any, point: Any) -> _Value:  # noqa: ANN401
    value = _number(point)
    if not metric.is_monotonic:
        return _Value(suffix="", value=value)
    if metric.aggregation_temporality != _DELTA:
        return _Value(suffix=".total", value=value)
    seconds = _period(point)
    return _Value(suffix="", value=value / seconds if seconds else math.nan)


def _histogram(point: Any) -> list[_Value]:  # noqa: ANN401
    values = [_Value(suffix=".count", value=float(point.count))]
    if point.count and _has_sum(point):
        values.append(_Value(suffix="", value=point.sum / point.count))
    return values


def _has_sum(point: Any) -> bool:  # noqa: ANN401
    field = point.DESCRIPTOR.fields_by_name["sum"]
    return not field.has_presence or bool(point.HasField("sum"))


def _number(point: Any) -> float:  # noqa: ANN401
    kind = point.WhichOneof("value")
    return math.nan if kind is None else float(getattr(point, kind))


def _period(point: Any) -> float | None:  # noqa: ANN401
    start, end = point.start_time_unix_nano, point.time_unix_nano
    return (end - start) / 1e9 if 0 < start < end else None


def _rows(
    site: str,
    resource: Mapping[str, str],
    name: str,
    point: Any,  # noqa: ANN401
    values: list[_Value],
) -> list[dict[str, Any]]:
    if point.flags & 1:
        raise ValueError(f"{name[:100]}: the point says that it has no recorded value")
    if not 0 < point.time_unix_nano < _LATEST_NANOSECONDS:
        raise ValueError(f"{name[:100]}: time_unix_nano is not a time")
    labels = _attributes(point.attributes)
    metric = _name(name)
    place = {
        "site": site,
        "component": _component(resource),
        "layer": _layer(labels.pop("whichlayer.layer", None) or resource.get("whichlayer.layer"), metric),
        "at": naive(_EPOCH + timedelta(microseconds=point.time_unix_nano // 1000)),
        "period_seconds": _period(point),
        "labels": json.dumps(labels, sort_keys=True, separators=(",", ":")),
    }
    if not all(math.isfinite(value.value) for value in values):
        raise ValueError(f"{metric}: the value is not a finite number, or a delta without its period")
    return [place | {"metric": metric + value.suffix, "value": value.value} for value in values]


def _component(resource: Mapping[str, str]) -> str:
    service = resource.get("service.name", "")
    named = "" if service.startswith("unknown_service") else service
    found = resource.get("whichlayer.component") or named or resource.get("host.name")
    if not found:
        raise ValueError("the resource has none of whichlayer.component, service.name, host.name")
    return _name(found)


def _layer(given: str | None, metric: str) -> str:
    if given:
        if given not in set(Layer):
            raise ValueError(f"whichlayer.layer is not one of {', '.join(Layer)}")
        return given
    if metric not in CATALOGUE:
        raise ValueError(f"{metric} is not in the catalogue: set the attribute whichlayer.layer")
    return str(CATALOGUE[metric].layer)


def _name(text: str) -> str:
    name = as_name(text)
    if not name:
        raise ValueError("a name is empty")
    return name


def _attributes(attributes: Any) -> dict[str, str]:  # noqa: ANN401
    found = {}
    for attribute in attributes[:_MOST_LABELS]:
        kind = attribute.value.WhichOneof("value")
        if kind in {"string_value", "int_value", "double_value", "bool_value"}:
            found[attribute.key] = str(getattr(attribute.value, kind))[:_LONGEST_LABEL]
    return found
