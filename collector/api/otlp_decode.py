"""OTLP metrics into rows of ``samples``. Runs in worker processes: what is done point by point holds the interpreter.

One data point gives one row, two for histograms:

- gauge, and a sum that can fall: the value as it is;
- a sum that only grows, with delta temporality: value per second over its period;
- the same, cumulative: the running total, under NAME.total;
- histogram (also exponential): the mean of its period under NAME, the number of values under NAME.count.

Attributes are read once per series, not per point: the bytes of a series that comes again are known.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.json_format import Parse, ParseError  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.api.book import Book
from collector.api.otlp_meaning import attributes_of, meaning_of
from collector.api.otlp_messages import NumberPoint, Request
from collector.api.otlp_points import (
    LATEST_NANOSECONDS,
    Columns,
    Heads,
    cut_of,
    head_of,
    heads_of,
    periods,
)

_MOST_SERIES = 50_000  # whose attributes are remembered
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_TIME = "time_unix_nano is not a time"
_NO_VALUE = "the value is not a finite number, or a delta without its period"
_NO_RECORD = "the point says that it has no recorded value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Rows that can be stored, how many points cannot, with the first reason, and how many are not ours to keep."""

    rows: pa.Table
    rejected: int
    reason: str
    foreign: int = 0


class NotOtlp(ValueError):
    """The body is not what OTLP sends."""


@dataclass(slots=True)
class _Metric:
    """One metric of one resource. ``known`` gives the number of a series by its attributes as they were sent.

    A number below zero is the place, counted from the end, of the reason why the series cannot be kept.
    """

    resource: bytes
    name: str
    suffix: str = ""
    delta: bool = False
    known: dict[Hashable, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What was found in one body: rows, points that will be, and why others will not, by their place in it."""

    quick: bool
    heads: Heads = field(default_factory=Heads)
    columns: Columns = field(default_factory=Columns)
    refused: list[tuple[int, str]] = field(default_factory=list)
    points: int = 0


class Decoder:
    """Decodes bodies for one site; remembers the series it has seen."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._forget()

    def decode(self, body: bytes) -> Decoded:
        """Decode one request. Raises NotOtlp."""
        if len(self._book) + len(self._reasons) + len(self._metrics) > _MOST_SERIES:
            self._forget()
        try:
            request = Request.FromString(body)
            found = self._found(request, quick=True)
            if not found.heads.fit():
                found = self._found(request, quick=False)
        except (DecodeError, UnicodeDecodeError) as error:
            raise NotOtlp(f"the body is not an OTLP metrics request ({type(error).__name__})") from None
        rows = self._rows(found)
        _, reason = min(found.refused, default=(0, ""))
        return Decoded(rows=rows, rejected=len(found.refused), reason=reason)

    def _found(self, request: Any, *, quick: bool) -> _Found:  # noqa: ANN401  made classes
        """Look for points. ``quick`` takes it that the fields of all points are in their places."""
        found = _Found(quick=quick)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self._take(resource.resource, metric, found)
        return found

    def _forget(self) -> None:
        self._book = Book()
        self._reasons: list[str] = []
        self._metrics: dict[tuple[bytes, str, str, bool], _Metric] = {}

    def _take(self, resource: bytes, sent: Any, found: _Found) -> None:  # noqa: ANN401  made classes
        kind = sent.WhichOneof("one")
        if kind == "gauge":
            self._numbers(self._metric(resource, sent.name), list(sent.gauge.data_points), found)
        elif kind == "sum":
            delta = sent.sum.is_monotonic and sent.sum.aggregation_temporality == _DELTA
            suffix = ".total" if sent.sum.is_monotonic and not delta else ""
            metric = self._metric(resource, sent.name, suffix, delta=delta)
            self._numbers(metric, list(sent.sum.data_points), found)
        elif kind is not None:
            for point in getattr(sent, kind).data_points:
                self._histogram(resource, sent.name, point, found)

    def _metric(self, resource: bytes, name: str, suffix: str = "", *, delta: bool = False) -> _Metric:
        key = (resource, name, suffix, delta)
        metric = self._metrics.get(key)
        if metric is None:
            metric = self._metrics[key] = _Metric(resource, name, suffix, delta)
        return metric

    def _numbers(self, metric: _Metric, raws: Sequence[bytes], found: _Found) -> None:
        """Take number points: all at once where their series are known."""
        cut = cut_of(raws[0]) if raws else 0
        numbers = [metric.known.get(raw[cut:]) for raw in raws] if found.quick else [None]
        if None not in numbers:
            self._headed(metric, heads_of(raws, cut), numbers, found)
            return
        for raw in raws:
            cut = cut_of(raw)
            head = head_of(raw, cut)
            number = None if head is None else self._tailed(metric, raw[cut:])
            if head is None or number is None:
                self._by_fields(metric, NumberPoint.FromString(raw), found)
            else:
                self._headed(metric, [head], [number], found)

    def _headed(self, metric: _Metric, heads: list[bytes], numbers: list[Any], found: _Found) -> None:
        found.heads.heads += heads
        found.heads.numbers += numbers
        found.heads.places += range(found.points, found.points + len(heads))
        found.heads.deltas.append((metric.delta, len(heads)))
        found.points += len(heads)

    def _tailed(self, metric: _Metric, tail: bytes) -> int | None:
        """Give the number of the series whose attributes are ``tail``; None when it is more than that, or less."""
        number = metric.known.get(tail)
        if number is None:
            try:
                attributes = NumberPoint.FromString(tail).attributes
            except DecodeError:
                return None
            if NumberPoint(attributes=attributes).SerializeToString() != tail:
                return None
            number = metric.known[tail] = self._learnt(metric, attributes)
        return number

    def _by_fields(self, metric: _Metric, point: Any, found: _Found) -> None:  # noqa: ANN401  made classes
        kind = point.WhichOneof("one")
        value = math.nan if kind is None else float(getattr(point, kind))
        if metric.delta:
            seconds = _seconds(point)
            value = math.nan if seconds is None else value / seconds
        self._keep(point, [(metric, value)], found)

    def _histogram(self, resource: bytes, name: str, point: Any, found: _Found) -> None:  # noqa: ANN401
        values = {".count": float(point.count)}
        if point.count and (point.DESCRIPTOR.name == "SummaryPoint" or point.HasField("sum")):
            values[""] = point.sum / point.count
        told = [(self._metric(resource, name, suffix), value) for suffix, value in values.items()]
        self._keep(point, told, found)

    def _keep(self, point: Any, values: Iterable[tuple[_Metric, float]], found: _Found) -> None:  # noqa: ANN401
        """Keep all values of one point, or none and why."""
        attributes = tuple(point.attributes)
        place, rows = found.points, []
        found.points += 1
        for metric, value in values:
            number = metric.known.get(attributes)
            if number is None:
                number = metric.known[attributes] = self._learnt(metric, attributes)
            reason = _wrong(point) or (self._reasons[number] if number < 0 else "")
            if reason or not math.isfinite(value):
                found.refused.append((place, reason or _NO_VALUE))
                return
            rows.append((number, value))
        for number, value in rows:
            found.columns.add(number, point.start_time_unix_nano, point.time_unix_nano, value)

    def _learnt(self, metric: _Metric, attributes: Iterable[bytes]) -> int:
        labels = attributes_of(KeyValue.FromString(one) for one in attributes)
        resource = attributes_of(Resource.FromString(metric.resource).attributes)
        try:
            return self._book.add(meaning_of(resource, metric.name, metric.suffix, labels))
        except ValueError as error:
            self._reasons.insert(0, str(error))
            return -len(self._reasons)

    def _rows(self, found: _Found) -> pa.Table:
        starts, times, values = found.heads.columns()
        numbers = np.array(found.heads.numbers, np.int32)
        seconds = periods(starts, times)
        values = np.where(found.heads.is_delta(), values / seconds, values)
        timed = (times > 0) & (times < LATEST_NANOSECONDS)
        kept = timed & (numbers >= 0) & np.isfinite(values)
        for place in np.flatnonzero(~kept).tolist():
            reason = self._reasons[numbers[place]] if numbers[place] < 0 else _NO_VALUE
            found.refused.append((found.heads.places[place], reason if timed[place] else _NO_TIME))
        fast, others = (numbers, starts, times, values), found.columns.arrays()
        every = [np.concatenate((one[kept], other)) for one, other in zip(fast, others, strict=True)]
        numbers, starts, times, values = every
        at = (times // 1000).astype(np.int64)
        return self._book.rows(self._site, numbers, at=at, values=values, periods=periods(starts, times))


def decode(body: bytes, *, json_body: bool, site: str) -> Decoded:
    """Decode one request in this process. Raises NotOtlp."""
    return _decoder(site).decode(_as_protobuf(body) if json_body else body)


@cache
def _decoder(site: str) -> Decoder:
    return Decoder(site)


def _as_protobuf(body: bytes) -> bytes:
    request = ExportMetricsServiceRequest()
    if not body.lstrip().startswith(b"{"):  # the parser takes an empty list for an empty request
        raise NotOtlp("the body is not an OTLP metrics request: it is not a JSON object")
    try:
        Parse(body, request, ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise NotOtlp(f"the body is not an OTLP metrics request ({type(error).__name__})") from None
    return bytes(request.SerializeToString())


def _wrong(point: Any) -> str:  # noqa: ANN401  made classes
    if point.flags & 1:
        return _NO_RECORD
    return "" if 0 < point.time_unix_nano < LATEST_NANOSECONDS else _NO_TIME


def _seconds(point: Any) -> float | None:  # noqa: ANN401
    start, end = point.start_time_unix_nano, point.time_unix_nano
    return (end - start) / 1e9 if 0 < start < end else None
