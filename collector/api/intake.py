"""The way of a batch of facts from a checked body into the store, the same for every door."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Request
from pydantic import AwareDatetime, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool

from collector.api import body
from collector.api.doors import Doors
from collector.model.errors import RejectedBatch
from collector.registry import Agent, Scope
from collector.store import Batch
from collector.tables import TIME_COLUMN, naive

B = TypeVar("B", bound="Envelope")
_EARLIEST, _LATEST = 1970, 2200  # outside nothing was measured, and libraries begin to overflow
_TOLERANCE = timedelta(seconds=30)
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is around every batch: ``sequence`` grows by one with each new batch of one agent."""

    sequence: Annotated[int, Field(ge=0, le=2**63 - 1)]
    sent_at: AwareDatetime | None = None


async def receive(request: Request, here: Doors, agent: Agent, shape: TypeAdapter[B]) -> tuple[B, float | None]:
    """Read and check one batch; give it with the sender's clock minus ours, in seconds."""
    arrived = here.clock()
    content = (await body.read(request, here.settings.limits)).content
    batch = await run_in_threadpool(shape.validate_json, content)
    skew = None if batch.sent_at is None else (batch.sent_at - arrived).total_seconds()
    await heard(here, agent, skew, request.headers.get("user-agent"))
    return batch, skew


async def keep(here: Doors, door: str, batch: Batch) -> None:
    """Store ``batch``; when this returns it is durable. Blocking work happens in a thread."""
    new = await run_in_threadpool(here.store.append, batch)
    here.meters.batches.labels(door, "no" if new else "yes").inc()
    if new:
        here.meters.rows.labels(door).inc(len(batch))


async def heard(here: Doors, agent: Agent, skew: float | None, version: str | None) -> None:
    """Note that ``agent`` was heard, unless that was noted a moment ago."""
    now = here.clock()
    if here.callers.is_due(agent, now):
        await run_in_threadpool(here.callers.note, agent, now, skew, version)


def check_times(here: Doors, times: Iterable[tuple[str, datetime]]) -> None:
    """Count times in the future (they are stored), refuse those no clock could have shown."""
    limit = here.clock() + _TOLERANCE
    for field, value in times:
        check_year(field, value)
        if value > limit:
            here.meters.early.inc()


def count_early(here: Doors, name: str, rows: pa.Table) -> None:
    """Count rows of table ``name`` whose time is in the future; they are stored."""
    kind = pa.timestamp("us")
    times, limit = rows.column(TIME_COLUMN[name]), pa.scalar(naive(here.clock() + _TOLERANCE), kind)
    if rows.num_rows and pc.max(times).cast(kind).as_py() > limit.as_py():
        here.meters.early.inc(pc.sum(pc.greater(times.cast(kind), limit)).as_py())


def check_endpoint(agent: Agent, endpoints: Iterable[tuple[str, str]]) -> None:
    """Refuse facts about another endpoint than the one this agent was enrolled for."""
    for field, endpoint in endpoints:
        if agent.scope is Scope.AGENT and endpoint != agent.endpoint:
            raise RejectedBatch(f"this agent is enrolled as {agent.endpoint}: it cannot speak for another", field=field)


def check_year(field: str, value: datetime) -> None:
    """Refuse a time no clock could have shown, before arithmetic overflows on it."""
    if not _EARLIEST <= value.year <= _LATEST:
        raise RejectedBatch(f"the year must be between {_EARLIEST} and {_LATEST}", field=field)


def check_counts(counts: Iterable[tuple[str, int | None]]) -> None:
    """Refuse counts that no column can hold."""
    for field, value in counts:
        if value is not None and not 0 <= value <= _LARGEST:
            raise RejectedBatch(f"must be between 0 and {_LARGEST}", field=field)


def documented(shape: TypeAdapter[Any], example: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the JSON body of a door for OpenAPI, with an example."""
    schema = shape.json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    content = {"application/json": {"schema": schema, "example": dict(example)}}
    return {"requestBody": {"required": True, "content": content}, "x-definitions": definitions}


def refused(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems a door may answer with, for OpenAPI."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _WORDS[status], "content": problem} for status in statuses}


_WORDS = {
    400: "the body is not what its headers say",
    401: "no token, or not a known one",
    403: "the token may not do this",
    404: "there is no such thing",
    408: "the body did not arrive in time",
    413: "the body is too large, as sent or inflated",
    415: "content type or encoding is not known",
    422: "a value is wrong; field says which",
    503: "no room now: keep the data and come back after Retry-After seconds",
}
SENDING = refused(400, 401, 408, 413, 415, 422, 503)
