"""``POST /v1/runs``: what walks of journeys measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from collector.api.doors import Here, Sender
from collector.api.intake import SENDING, Envelope, check_counts, check_endpoint, check_times, documented, keep, receive
from collector.model.run import Run
from collector.store import Batch

ROUTER = APIRouter(tags=["facts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch(Envelope):
    """Runs of one agent."""

    runs: tuple[Run, ...]


_SHAPE = TypeAdapter(RunBatch)
_EXAMPLE = {
    "sequence": 17,
    "sent_at": "2026-11-23T09:00:31Z",
    "runs": [
        {
            "run_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "site": "example-council",
            "endpoint": "ward-3-pc",
            "access": {"link": "wifi", "presentation": "local", "link_source": "nl80211 on wlan0", "confidence": 0.9},
            "journey": "case-record",
            "journey_hash": "0123456789abcdef",
            "slot": "2026-11-23T09:00:00Z",
            "started_at": "2026-11-23T09:00:04Z",
            "seconds": 0.84,
            "outcome": "ok",
            "steps": [
                {
                    "step": "save",
                    "outcome": "ok",
                    "seconds": 0.84,
                    "phases": {"processing": 0.61, "transfer": 0.02, "server_db": 0.4},
                    "target_seconds": 2.0,
                    "requests": 2,
                    "http_status": 200,
                }
            ],
            "facts": {"release": "3.58"},
        }
    ],
}


@ROUTER.post(
    "/v1/runs", status_code=204, response_class=Response, responses=SENDING, openapi_extra=documented(_SHAPE, _EXAMPLE)
)
async def send_runs(request: Request, here: Here, agent: Sender) -> None:
    """Keep runs. 204 means they are on disk; sending the same sequence again changes nothing."""
    sent, skew = await receive(request, here, agent, _SHAPE)
    check_times(here, _times(sent.runs))
    check_counts(_counts(sent.runs))
    check_endpoint(agent, ((f"runs.{number}.endpoint", run.endpoint) for number, run in enumerate(sent.runs)))
    batch_id = f"{agent.agent_id}:{sent.sequence}"
    batch = Batch(batch_id=batch_id, sender=agent.agent_id, runs=sent.runs, received_skew_seconds=skew)
    await keep(here, "runs", batch)
    here.meters.last.heard(sent.runs)


def _times(runs: tuple[Run, ...]) -> Iterator[tuple[str, datetime]]:
    for number, run in enumerate(runs):
        yield f"runs.{number}.slot", run.slot
        yield f"runs.{number}.started_at", run.started_at


def _counts(runs: tuple[Run, ...]) -> Iterator[tuple[str, int | None]]:
    for number, run in enumerate(runs):
        yield f"runs.{number}.attempt", run.attempt
        for position, step in enumerate(run.steps):
            place = f"runs.{number}.steps.{position}"
            yield f"{place}.requests", step.requests
            yield f"{place}.http_status", step.http_status
            if step.bytes_received is not None:  # a 64-bit column: only the sign and the size of the number matter
                yield f"{place}.bytes_received", step.bytes_received >> 32 if step.bytes_received >= 0 else -1
