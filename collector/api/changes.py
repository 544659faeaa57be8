"""``/v1/changes``: what was changed, declared by people and by agents. Kept in the registry."""

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from collector.api.doors import Here, Operator, Sender
from collector.api.intake import SENDING, Envelope, check_times, documented, receive, refused
from collector.api.period import End, Start, period
from collector.model.change import Change
from collector.registry import Scope

ROUTER = APIRouter(tags=["changes"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBatch(Envelope):
    """Changes declared by one sender."""

    changes: tuple[Change, ...]


_SHAPE = TypeAdapter(ChangeBatch)
_EXAMPLE = {
    "sequence": 20,
    "sent_at": "2026-11-23T09:00:31Z",
    "changes": [
        {
            "change_id": "chg-4711",
            "site": "example-council",
            "what": "second SAN controller taken into service",
            "layer": "storage",
            "component": "san-1",
            "start": "2026-11-22T18:00:00Z",
            "end": "2026-11-22T20:00:00Z",
            "expected_effect": "saving is faster in the morning",
            "declared_by": "it.operations",
            "declared_at": "2026-11-20T10:00:00Z",
        }
    ],
}


@ROUTER.post(
    "/v1/changes",
    status_code=204,
    response_class=Response,
    responses=SENDING,
    openapi_extra=documented(_SHAPE, _EXAMPLE),
)
async def send_changes(request: Request, here: Here, agent: Sender) -> None:
    """Keep changes. 204 means they are committed; the same sequence again changes nothing.

    An agent cannot replace a change that is known by its id (422); an operator can.
    """
    sent, _skew = await receive(request, here, agent, _SHAPE)
    for number, change in enumerate(sent.changes):
        times = {"start": change.start, "declared_at": change.declared_at, "end": change.end or change.start}
        check_times(here, ((f"changes.{number}.{name}", value) for name, value in times.items()))
    batch_id = f"{agent.agent_id}:{sent.sequence}"
    add = partial(here.registry.add_changes, batch_id, sent.changes, replace=agent.scope is Scope.OPERATOR)
    new = await run_in_threadpool(add)
    here.meters.batches.labels("changes", "no" if new else "yes").inc()
    here.meters.rows.labels("changes").inc(len(sent.changes) if new else 0)


@ROUTER.get("/v1/changes", responses=refused(401, 403, 422))
def list_changes(
    here: Here,
    _operator: Operator,
    start: Start = None,
    end: End = None,
) -> list[Change]:
    """List changes that overlap a period, by start."""
    return list(here.registry.changes(*period(here, start, end)))
