"""``POST /v1/metrics``: OTLP/HTTP metrics, as every OpenTelemetry SDK and collector sends them."""

import asyncio
import hashlib
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from starlette.concurrency import run_in_threadpool

from collector.api import body
from collector.api.doors import Doors, Here, Sender
from collector.api.intake import SENDING, count_early, heard
from collector.api.otlp_decode import Decoded, NotOtlp, decode
from collector.api.problem import RETRY_SECONDS, Problem

ROUTER = APIRouter(tags=["facts"])
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


@ROUTER.post(
    "/v1/metrics",
    response_class=Response,
    responses={**SENDING, 200: {"description": "kept; partialSuccess says what could not be", "content": _CONTENT}},
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def export_metrics(request: Request, here: Here, agent: Sender) -> Response:
    """Keep OTLP metrics. The same body of the same sender again is stored once."""
    sent = await body.read(request, here.settings.limits, accept=(PROTOBUF, body.JSON))
    await run_in_threadpool(heard, here, agent, None, request.headers.get("user-agent"))
    decoded = await _decode(here, sent)
    if decoded.rows.num_rows:
        batch_id = f"{agent.agent_id}:otlp:{hashlib.sha256(sent.content).hexdigest()}"
        new = await run_in_threadpool(here.store.append_table, batch_id, agent.agent_id, "samples", decoded.rows)
        here.meters.batches.labels("otlp", "no" if new else "yes").inc()
        if new:
            here.meters.rows.labels("otlp").inc(decoded.rows.num_rows)
            count_early(here, "samples", decoded.rows)
    return _answer(decoded, json_answer=sent.media_type == body.JSON)


async def _decode(here: Doors, sent: body.Body) -> Decoded:
    work = partial(decode, sent.content, json_body=sent.media_type == body.JSON, site=here.site)
    try:
        return await asyncio.get_running_loop().run_in_executor(here.decoders, work)
    except NotOtlp as error:
        raise Problem(400, str(error)) from None
    except BrokenProcessPool:
        detail = "the process that decodes OTLP ended: send this again, another one takes over"
        raise Problem(503, detail, headers={"Retry-After": str(RETRY_SECONDS)}) from None


def _answer(decoded: Decoded, *, json_answer: bool) -> Response:
    answer = ExportMetricsServiceResponse()
    if decoded.rejected:
        answer.partial_success.rejected_data_points = decoded.rejected
        answer.partial_success.error_message = decoded.reason
    if json_answer:
        return Response(MessageToJson(answer, indent=None), media_type=body.JSON)
    return Response(answer.SerializeToString(), media_type=PROTOBUF)
