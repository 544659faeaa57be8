"""The store over HTTP: columns in for senders with volume, and reading for the other commands of an operator.

Rows travel as Arrow IPC streams, questions as JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, ValidationError

from collector.api import body
from collector.api.body import BodyRoute
from collector.api.decoding import in_thread
from collector.api.direct import DirectRoute
from collector.api.doors import Doors, Here, Operator, Sender
from collector.api.intake import SENDING, count_early, refused
from collector.api.problem import Problem
from collector.model.errors import NotInStore
from collector.registry import Scope
from collector.store import Batch, Every, Forgotten, Slice, StoreStatus
from collector.stores._batch import from_ipc, to_ipc
from collector.tables import TABLES

ROUTER = APIRouter(tags=["facts"], route_class=BodyRoute)
ARROW = "application/vnd.apache.arrow.stream"
NEW = "X-Whichlayer-New"  # "true" when the batch was stored now, "false" when it was known
_ROWS = {ARROW: {"schema": {"type": "string", "format": "binary"}}}
_BODY = {"requestBody": {"required": True, "content": _ROWS}}
_SENDING = {**SENDING, **refused(403, 404)}
_READING = {200: {"description": "rows", "content": _ROWS}, **refused(400, 401, 403, 404, 415, 422, 503)}


def _countable(value: datetime) -> datetime:
    if not MINYEAR < value.year < MAXYEAR:
        raise ValueError("the year must be between 2 and 9998")
    return value


Time = Annotated[AwareDatetime, AfterValidator(_countable)]  # one that a week or a time zone more does not overflow
Text = Annotated[str, Field(max_length=10_000)]  # a bound text is also checked for halves of characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rows of ``start <= time < end``, and per column one of the given values."""

    start: Time
    end: Time
    where: Mapping[str, Sequence[Text]] = field(default_factory=dict)
    snapshot: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None

    @property
    def slice(self) -> Slice:
        """Give the part the store is asked with."""
        return Slice(start=self.start, end=self.end, where=self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableQuestion(Question):
    """The question of one table."""

    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanQuestion(TableQuestion):
    """Without ``columns`` it gives them all."""

    columns: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendQuestion(Question):
    """The question of a trend."""

    table: str
    every: Every
    by: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The number of one version of the facts."""

    snapshot: Annotated[int, Field(ge=0, le=2**63 - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time, from outside."""

    now: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Whose facts; with ``dry_run`` it is only said what would go."""

    site: Annotated[str, Field(min_length=1, max_length=200)]
    dry_run: bool = False


Table = Annotated[str, Path(description=f"one of {', '.join(TABLES)}")]
_SEQUENCE = TypeAdapter(Annotated[int, Field(ge=0, le=2**63 - 1)])
_PARAMETERS = [
    {"name": "table", "in": "path", "required": True, "schema": {"type": "string", "enum": list(TABLES)}},
    {
        "name": "sequence",
        "in": "query",
        "required": True,
        "description": "grows by one with each new batch of one agent",
        "schema": _SEQUENCE.json_schema(),
    },
]
Name = Annotated[str, Query(min_length=1, max_length=200)]


async def send_rows(request: Request, here: Here, agent: Sender) -> Response:
    """Keep rows of one table, sent as an Arrow IPC stream with its columns: the door for volume.

    204 means they are on disk; sending the same sequence again changes nothing.
    """
    table = request.path_params["table"]
    if table == "ledger" and agent.scope is Scope.AGENT:
        raise Problem(403, "the ledger is the collector's own: what an agent knows of its data are samples")
    batch_id = f"{agent.agent_id}:{_sequence(request)}"
    return await _keep(request, here, table, batch_id, agent.agent_id)


def _sequence(request: Request) -> int:
    try:
        return _SEQUENCE.validate_python(request.query_params.get("sequence"))
    except ValidationError as errors:
        raise Problem(422, str(errors.errors()[0]["msg"]), field="sequence") from None


ROUTER.add_api_route(
    "/v1/rows/{table}",
    send_rows,
    methods=["POST"],
    status_code=204,
    response_class=Response,
    responses=_SENDING,
    openapi_extra={**_BODY, "parameters": _PARAMETERS},
    route_class_override=DirectRoute,
)


@ROUTER.post("/v1/batches/{table}", status_code=204, response_class=Response, responses=_SENDING, openapi_extra=_BODY)
async def send_named_rows(
    request: Request, here: Here, _operator: Operator, table: Table, batch_id: Name, sender: Name
) -> Response:
    """Keep rows of one table for another command of an operator, which names batch and sender itself."""
    return await _keep(request, here, table, batch_id, sender)


@ROUTER.post("/v1/batches", status_code=204, response_class=Response, responses=_SENDING)
def send_batch(here: Here, _operator: Operator, batch: Batch) -> Response:
    """Keep a whole batch for another command of an operator."""
    return _kept(here.store.append(batch))


@ROUTER.post("/v1/scan", response_class=Response, responses=_READING)
def scan(here: Here, _operator: Operator, question: ScanQuestion) -> Response:
    """Read rows of one table in key order, as an Arrow IPC stream."""
    with _asking():
        rows = here.store.scan(question.table, question.slice, columns=question.columns, snapshot=question.snapshot)
    return Response(to_ipc(rows), media_type=ARROW)


@ROUTER.post("/v1/counts", response_class=Response, responses=_READING)
def counts(here: Here, _operator: Operator, question: TableQuestion) -> Response:
    """Count rows of one table by hour, as an Arrow IPC stream."""
    with _asking():
        rows = here.store.counts(question.table, question.slice, snapshot=question.snapshot)
    return Response(to_ipc(rows), media_type=ARROW)


@ROUTER.post("/v1/hourly", response_class=Response, responses=_READING)
def hourly(here: Here, _operator: Operator, question: Question) -> Response:
    """Summarise steps by hour and population, as an Arrow IPC stream."""
    with _asking():
        rows = here.store.hourly(question.slice, snapshot=question.snapshot)
    return Response(to_ipc(rows), media_type=ARROW)


@ROUTER.post("/v1/trend", response_class=Response, responses=_READING)
def trend(here: Here, _operator: Operator, question: TrendQuestion) -> Response:
    """Summarise steps or samples by day, week, month and so on, as an Arrow IPC stream."""
    with _asking():
        rows = here.store.trend(
            question.table, question.slice, every=question.every, by=question.by, snapshot=question.snapshot
        )
    return Response(to_ipc(rows), media_type=ARROW)


@ROUTER.post("/v1/flush", responses=refused(401, 403, 503))
def flush(here: Here, _operator: Operator) -> Snapshot:
    """Commit all that was acknowledged; give the number of the snapshot that holds it."""
    return Snapshot(snapshot=here.store.flush())


@ROUTER.post("/v1/pin", status_code=204, responses=refused(401, 403, 404, 422, 503))
def pin(here: Here, _operator: Operator, pinned: Snapshot) -> None:
    """Keep a snapshot readable for as long as pins are kept."""
    with _asking():
        here.store.pin(pinned.snapshot)


@ROUTER.post("/v1/maintain", status_code=204, responses=refused(401, 403, 422, 503))
def maintain(here: Here, _operator: Operator, moment: Moment) -> None:
    """Merge small files, refresh the roll-ups, remove what is too old, let go of snapshots nobody pinned."""
    here.store.maintain(moment.now)


@ROUTER.post("/v1/forget", responses=refused(401, 403, 422, 503))
def forget(here: Here, _operator: Operator, removal: Removal) -> Forgotten:
    """Remove every fact of a site with its bytes, and every snapshot but the newest. Readers wait meanwhile."""
    return here.store.forget(removal.site, dry_run=removal.dry_run)


@ROUTER.get("/v1/store", responses=refused(401, 403))
def status(here: Here, _operator: Operator) -> StoreStatus:
    """Say how the store is."""
    return here.store.status()


async def _keep(request: Request, here: Doors, table: str, batch_id: str, sender: str) -> Response:
    sent = await body.read(request, here.settings.limits, accept=(ARROW,))

    def keep() -> bool:
        with _asking():
            rows = from_ipc(sent.content)
            new = here.store.append_table(batch_id, sender, table, rows)
        here.meters.batches.labels("rows", "no" if new else "yes").inc()
        if new:
            here.meters.rows.labels("rows").inc(rows.num_rows)
            count_early(here, table, rows)
        return new

    return _kept(await in_thread(here, keep))


def _kept(new: bool) -> Response:
    return Response(status_code=204, headers={NEW: "true" if new else "false"})


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except NotInStore as error:
        raise Problem(404, str(error)) from None
