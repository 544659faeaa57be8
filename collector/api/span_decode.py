"""OTLP spans into rows of ``server_parts``. Runs in worker processes, as metrics do.

Of a span its ids, times, kind and trace state are looked at, and of its attributes which are there: never what they
hold, but for ``service.name`` and the words listed here. Nothing but the sums of one step leaves this file.
"""

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from google.protobuf.json_format import ParseDict, ParseError  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.api.otlp_decode import Decoded, NotOtlp
from collector.api.span_parts import Part, Piece, divide
from collector.model.checks import as_name
from collector.model.trace import position_of, stated_position
from collector.tables import SERVER_PARTS, naive

_IDS = ("traceId", "spanId", "parentSpanId")
_LATEST_NANOSECONDS = 7_258_118_400 * 10**9  # the year 2200
_OUTGOING = frozenset({Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER})
_INCOMING = frozenset({Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER})
_SAYS = "whichlayer.part"
_DATABASE = frozenset({"db.system.name", "db.system"})
_STORAGE = frozenset({"aws.s3.bucket"})
_FILE_SYSTEM = "@opentelemetry/instrumentation-fs"
_PROCESS = ("service.name", "service.instance.id", "host.name", "process.pid")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where spans belong together: one step, one process, called by the probe or by another service."""

    run_id: str
    position: int
    process: tuple[str, ...]
    nested: bool


def decode_spans(body: bytes, *, json_body: bool, site: str, at: datetime) -> Decoded:
    """Decode one request that was received ``at``. Raises NotOtlp."""
    request = _parsed(body, json_body=json_body)
    rejected = 0
    places: defaultdict[_Place, list[Piece]] = defaultdict(list)
    by_process: defaultdict[tuple[str, ...], defaultdict[str, list[tuple[Any, Part]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for process, scope, span in _spans(request):
        if _is_valid(span):
            by_process[process][span.trace_id.hex()].append((span, _part(span, scope)))
        else:
            rejected += 1
    for process, traces in by_process.items():
        for run_id, spans in traces.items():
            _collect(places, process, run_id, spans)
    rows = [_row(place, pieces) | {"site": site, "at": naive(at)} for place, pieces in places.items()]
    reason = "a span needs a trace id of 16 bytes, a span id of 8, and an end that is not before its start"
    table = pa.Table.from_pylist(rows, SERVER_PARTS)
    taken = sum(len(spans) for traces in by_process.values() for spans in traces.values())
    foreign = taken - sum(len(pieces) for pieces in places.values())
    return Decoded(rows=table, rejected=rejected, reason=reason if rejected else "", foreign=foreign)


def _parsed(body: bytes, *, json_body: bool) -> Any:  # noqa: ANN401  generated classes
    request = ExportTraceServiceRequest()
    try:
        if json_body:
            ParseDict(_with_bytes(json.loads(body)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotOtlp(f"the body is not an OTLP trace request ({type(error).__name__})") from None
    return request


def _with_bytes(document: Any) -> Any:  # noqa: ANN401
    """Turn ids into what the parser of protobuf's own JSON expects: OTLP writes them as hexadecimal digits."""
    for resource in document.get("resourceSpans") or ():
        for scope in resource.get("scopeSpans") or ():
            for span in scope.get("spans") or ():
                span.pop("links", None)
                for name in _IDS:
                    if span.get(name):
                        span[name] = base64.b64encode(_bytes(span[name])).decode()
    return document


def _bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except (ValueError, binascii.Error):
        return b""  # no id: the span is rejected, the others are not


def _spans(request: Any) -> Iterator[tuple[tuple[str, ...], str, Any]]:  # noqa: ANN401
    for resource_spans in request.resource_spans:
        told = {one.key: one.value for one in resource_spans.resource.attributes if one.key in _PROCESS}
        process = tuple(_word(told.get(name)) for name in _PROCESS)
        for scope in resource_spans.scope_spans:
            for span in scope.spans:
                yield process, scope.scope.name, span


def _word(value: Any) -> str:  # noqa: ANN401
    return "" if value is None else str(value.string_value or value.int_value)


def _is_valid(span: Any) -> bool:  # noqa: ANN401
    ids = len(span.trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in {0, 8}
    return ids and 0 < span.start_time_unix_nano <= span.end_time_unix_nano < _LATEST_NANOSECONDS


def _part(span: Any, scope: str) -> Part:  # noqa: ANN401
    """Say whose time it is, by the semantic conventions, old names and new."""
    keys = {one.key for one in span.attributes}
    if _SAYS in keys:
        said = next(one.value.string_value for one in span.attributes if one.key == _SAYS)
        if said in set(Part):
            return Part(said)
    if span.kind in _INCOMING:
        return Part.APP
    if keys & _STORAGE or scope == _FILE_SYSTEM:
        return Part.STORAGE
    if keys & _DATABASE:
        return Part.DATABASE
    return Part.EXTERNAL if span.kind in _OUTGOING else Part.APP


def _collect(
    places: Mapping[_Place, list[Piece]], process: tuple[str, ...], run_id: str, spans: list[tuple[Any, Part]]
) -> None:
    """Give each span of a trace to its step; spans no step can be found for are nobody's."""
    known = {span.span_id: span for span, _ in spans}
    for span, part in spans:
        root = _root(span, known)
        asked = position_of(run_id, root.parent_span_id.hex())
        position = asked if asked is not None else stated_position(root.trace_state)
        if position is None or root.kind == Span.SPAN_KIND_CONSUMER:  # a message is worked on while nobody waits
            continue
        entry = span is root and (asked is not None or span.kind == Span.SPAN_KIND_SERVER)
        place = _Place(run_id, position, process, asked is None and root.kind == Span.SPAN_KIND_SERVER)
        start, end = span.start_time_unix_nano, span.end_time_unix_nano
        places[place].append(Piece(span.span_id, span.parent_span_id, part, start, end, entry))


def _root(span: Any, known: Mapping[bytes, Any]) -> Any:  # noqa: ANN401
    """Go up while the parent is in the same process and body; a ring of parents ends where it began."""
    seen = {span.span_id}
    while (parent := known.get(span.parent_span_id)) is not None and parent.span_id not in seen:
        seen.add(parent.span_id)
        span = parent
    return span


def _row(place: _Place, pieces: list[Piece]) -> dict[str, Any]:
    whole, parts = divide(pieces)
    return {
        "run_id": place.run_id,
        "position": place.position,
        "service": as_name(place.process[0]) or "unknown",
        "nested": place.nested,
        "whole": whole,
        "database": parts[Part.DATABASE],
        "storage": parts[Part.STORAGE],
        "external": parts[Part.EXTERNAL],
        "spans": len(pieces),
    }
