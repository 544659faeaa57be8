"""``POST /api/v1/write``: Prometheus remote write 1.0 and 2.0, as Prometheus and its agents send it."""

from collections import Counter
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from collector.api import body
from collector.api.decoding import in_thread, in_worker
from collector.api.direct import DirectRoute
from collector.api.doors import Doors, Here, Sender
from collector.api.intake import SENDING, count_early, heard
from collector.api.problem import Problem
from collector.api.remote_write_decode import Decoded, NotRemoteWrite, Protocol, decode
from collector.model.layer import Layer
from collector.registry import Agent
from collector.stores._columns import plain
from collector.tables import SAMPLES

ROUTER = APIRouter(tags=["facts"], route_class=DirectRoute)
PROTOBUF = "application/x-protobuf"
_WRITTEN = "X-Prometheus-Remote-Write-{}-Written"
_CONTENT = {PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}
_KEPT = ("kept", "stale")  # what was taken note of
_DOOR: dict[str, Any] = {
    "status_code": 204,
    "response_class": Response,
    "responses": SENDING,
    "openapi_extra": {"requestBody": {"required": True, "content": _CONTENT}},
}


@ROUTER.post("/api/v1/write", **_DOOR)
@ROUTER.post("/v1/remote-write", include_in_schema=False, **_DOOR)
async def remote_write(request: Request, here: Here, agent: Sender) -> Response:
    """Keep what a Prometheus writes, by mappings. The same body of the same sender again is stored once."""
    protocol = _protocol(request)
    limits = here.settings.limits
    sent = await body.read_packed(request, limits, accept=(PROTOBUF,), encodings=("snappy",))
    await heard(here, agent, None, request.headers.get("user-agent"))
    try:
        with body.refusing():
            decoded = await in_worker(here, partial(decode, sent.content, protocol, limit=limits.inflated_bytes))
    except NotRemoteWrite as error:
        raise Problem(400, str(error)) from None
    await in_thread(here, _keep, here, agent, decoded)
    written = sum(decoded.outcomes[outcome] for outcome in _KEPT)
    headers = {_WRITTEN.format("Samples"): str(written)}
    headers |= {_WRITTEN.format(what): "0" for what in ("Histograms", "Exemplars")}
    return Response(status_code=204, headers=headers)


def _protocol(request: Request) -> Protocol:
    """Read which message the content type names; without a name it is the first one."""
    _, _, parameters = request.headers.get("content-type", "").partition(";")
    given = dict(one.strip().partition("=")[::2] for one in parameters.split(";"))
    named = given.get("proto", Protocol.ONE).strip().strip('"')
    if named not in set(Protocol):
        what = f"send {PROTOBUF};proto={Protocol.TWO} or {PROTOBUF};proto={Protocol.ONE}"
        raise Problem(415, what, field="Content-Type")
    return Protocol(named)


def _keep(here: Doors, agent: Agent, decoded: Decoded) -> None:
    grown, resets = here.growth.rows(here.site, agent.agent_id, decoded.digest, decoded.points)
    rows = plain(SAMPLES, [decoded.rows, grown]) if grown.num_rows else decoded.rows
    new = True
    if rows.num_rows:
        batch_id = f"{agent.agent_id}:remote-write:{decoded.digest}"
        new = here.store.append_table(batch_id, agent.agent_id, "samples", rows)
        here.meters.batches.labels("remote_write", "no" if new else "yes").inc()
    if new:
        here.meters.rows.labels("remote_write").inc(rows.num_rows)
        count_early(here, "samples", rows)
        for meaning in resets:
            here.notes.reset(meaning.component, Layer(meaning.layer), meaning.metric)
        if decoded.lost:
            here.notes.refused(agent.endpoint, decoded.lost, "values that are not finite numbers")
        for outcome, count in (decoded.outcomes + Counter(reset=len(resets))).items():
            here.meters.written.labels(outcome).inc(count)
