"""``POST /v1/metrics`` and ``/v1/traces``: OTLP/HTTP, as every OpenTelemetry SDK and collector sends it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.api import body
from collector.api.decoders import unpacked
from collector.api.decoding import in_thread, in_worker
from collector.api.direct import DirectRoute
from collector.api.doors import Doors, Here, Sender
from collector.api.intake import SENDING, count_early, heard
from collector.api.otlp_decode import Decoded, NotOtlp, decode
from collector.api.problem import Problem
from collector.api.span_decode import decode_spans
from collector.registry import Agent

ROUTER = APIRouter(tags=["facts"], route_class=DirectRoute)
PROTOBUF = "application/x-protobuf"
_EXAMPLE = {
    "resourceMetrics": [
        {
            "resource": {"attributes": [{"key": "host.name", "value": {"stringValue": "app-1"}}]},
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "system.cpu.utilization",
                            "gauge": {"dataPoints": [{"timeUnixNano": "1795424430000000000", "asDouble": 0.4}]},
                        }
                    ]
                }
            ],
        }
    ]
}
_CONTENT = {
    PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
    body.JSON: {"schema": {"type": "object"}, "example": _EXAMPLE},
}
_SPAN = {
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "spanId": "00f067aa0ba902b7",
    "name": "GET /cases",
    "kind": 2,
    "traceState": "whichlayer=1",
    "startTimeUnixNano": "1795424430000000000",
    "endTimeUnixNano": "1795424430400000000",
}
_TRACES = {
    PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
    body.JSON: {
        "schema": {"type": "object"},
        "example": {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [_SPAN]}]}]},
    },
}


@ROUTER.post(
    "/v1/metrics",
    response_class=Response,
    responses={**SENDING, 200: {"description": "kept; partialSuccess says what could not be", "content": _CONTENT}},
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def export_metrics(request: Request, here: Here, agent: Sender) -> Response:
    """Keep OTLP metrics. The same body of the same sender again is stored once."""
    work = partial(decode, site=here.site)
    sent, decoded = await _receive(request, here, agent, "samples", work)
    answer = ExportMetricsServiceResponse()
    if decoded.rejected:
        answer.partial_success.rejected_data_points = decoded.rejected
        answer.partial_success.error_message = decoded.reason
    return _respond(answer, sent)


@ROUTER.post(
    "/v1/traces",
    response_class=Response,
    responses={**SENDING, 200: {"description": "taken; partialSuccess says what could not be", "content": _TRACES}},
    openapi_extra={"requestBody": {"required": True, "content": _TRACES}},
)
async def export_traces(request: Request, here: Here, agent: Sender) -> Response:
    """Keep what OTLP spans say of the steps of runs; spans of other traffic are let go."""
    work = partial(decode_spans, site=here.site, at=here.clock())
    sent, decoded = await _receive(request, here, agent, "server_parts", work)
    answer = ExportTraceServiceResponse()
    if decoded.rejected:
        answer.partial_success.rejected_spans = decoded.rejected
        answer.partial_success.error_message = decoded.reason
    return _respond(answer, sent)


async def _receive(
    request: Request, here: Doors, agent: Agent, table: str, work: Callable[..., Decoded]
) -> tuple[body.Body, Decoded]:
    """Read, decode in a worker, and keep: when this returns the rows of ``table`` are durable."""
    limits = here.settings.limits
    sent = await body.read_packed(request, limits, accept=(PROTOBUF, body.JSON))
    await heard(here, agent, None, request.headers.get("user-agent"))
    try:
        with body.refusing():
            unpack = partial(unpacked, sent.content, sent.encoding, limits.inflated_bytes)
            decoded, digest = await in_worker(
                here, partial(unpack, partial(work, json_body=sent.media_type == body.JSON))
            )
    except NotOtlp as error:
        raise Problem(400, str(error)) from None
    here.meters.foreign.inc(decoded.foreign)
    if decoded.rows.num_rows:
        await in_thread(here, _keep, here, agent, table, digest, decoded.rows)
    if decoded.rejected:
        here.notes.refused(agent.endpoint, decoded.rejected, decoded.reason)
    return sent, decoded


def _keep(here: Doors, agent: Agent, table: str, digest: str, rows: pa.Table) -> None:
    new = here.store.append_table(f"{agent.agent_id}:otlp:{digest}", agent.agent_id, table, rows)
    here.meters.batches.labels("otlp", "no" if new else "yes").inc()
    if new:
        here.meters.rows.labels("otlp").inc(rows.num_rows)
        count_early(here, table, rows)


def _respond(answer: Any, sent: body.Body) -> Response:  # noqa: ANN401  generated classes
    if sent.media_type == body.JSON:
        return Response(MessageToJson(answer, indent=None), media_type=body.JSON)
    return Response(answer.SerializeToString(), media_type=PROTOBUF)
