"""``POST /v1/sessions``: the life of logons held open, and how they ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from collector.api.doors import Here, Sender
from collector.api.intake import SENDING, Envelope, check_endpoint, check_times, documented, keep, receive
from collector.model.session import SessionEvent
from collector.store import Batch

ROUTER = APIRouter(tags=["facts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBatch(Envelope):
    """Session events of one agent."""

    sessions: tuple[SessionEvent, ...]


_SHAPE = TypeAdapter(SessionBatch)
_EXAMPLE = {
    "sequence": 19,
    "sent_at": "2026-11-23T09:00:31Z",
    "sessions": [
        {
            "session_id": "s-20261123-0841",
            "site": "example-council",
            "endpoint": "vdi-pool-a-1",
            "access": {"link": "wired", "presentation": "citrix"},
            "at": "2026-11-23T09:00:29Z",
            "kind": "ended",
            "open_seconds": 1168.0,
            "cause": "network",
            "detail": "nothing answered for 61 s",
            "journey": "case-record",
        }
    ],
}


@ROUTER.post(
    "/v1/sessions",
    status_code=204,
    response_class=Response,
    responses=SENDING,
    openapi_extra=documented(_SHAPE, _EXAMPLE),
)
async def send_sessions(request: Request, here: Here, agent: Sender) -> None:
    """Keep session events. 204 means they are on disk; the same sequence again changes nothing."""
    sent, skew = await receive(request, here, agent, _SHAPE)
    check_times(here, _times(sent.sessions))
    check_endpoint(agent, ((f"sessions.{number}.endpoint", one.endpoint) for number, one in enumerate(sent.sessions)))
    batch_id = f"{agent.agent_id}:{sent.sequence}"
    batch = Batch(batch_id=batch_id, sender=agent.agent_id, sessions=sent.sessions, received_skew_seconds=skew)
    await keep(here, "sessions", batch)


def _times(events: tuple[SessionEvent, ...]) -> Iterator[tuple[str, datetime]]:
    for number, event in enumerate(events):
        yield f"sessions.{number}.at", event.at
