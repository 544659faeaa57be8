"""``POST /v1/samples``: infrastructure metrics from agents and scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from collector.api.doors import Here, Sender
from collector.api.intake import SENDING, Envelope, check_times, documented, keep, receive
from collector.model.sample import Sample
from collector.store import Batch

ROUTER = APIRouter(tags=["facts"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBatch(Envelope):
    """Samples of one agent."""

    samples: tuple[Sample, ...]


_SHAPE = TypeAdapter(SampleBatch)
_EXAMPLE = {
    "sequence": 18,
    "sent_at": "2026-11-23T09:00:31Z",
    "samples": [
        {
            "site": "example-council",
            "component": "app-1",
            "layer": "app_server",
            "metric": "system.paging.in",
            "at": "2026-11-23T09:00:30Z",
            "value": 524288.0,
            "period_seconds": 10.0,
            "labels": {"device": "swap"},
        }
    ],
}


@ROUTER.post(
    "/v1/samples",
    status_code=204,
    response_class=Response,
    responses=SENDING,
    openapi_extra=documented(_SHAPE, _EXAMPLE),
)
async def send_samples(request: Request, here: Here, agent: Sender) -> None:
    """Keep samples. 204 means they are on disk; sending the same sequence again changes nothing."""
    sent, skew = await receive(request, here, agent, _SHAPE)
    check_times(here, _times(sent.samples))
    batch_id = f"{agent.agent_id}:{sent.sequence}"
    batch = Batch(batch_id=batch_id, sender=agent.agent_id, samples=sent.samples, received_skew_seconds=skew)
    await keep(here, "samples", batch)


def _times(samples: tuple[Sample, ...]) -> Iterator[tuple[str, datetime]]:
    for number, sample in enumerate(samples):
        yield f"samples.{number}.at", sample.at
