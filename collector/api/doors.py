"""What every door needs: the store, the registry, who is asking and what time it is."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from collector.api.callers import Callers
from collector.api.growth import Growth
from collector.api.meters import Meters
from collector.api.problem import Problem
from collector.api.room import Room
from collector.quality.doors import DoorNotes
from collector.registry import Agent, Registry, Scope
from collector.settings import CollectorSettings
from collector.store import Store

_WRITERS = 16


def utc_now() -> datetime:
    """Give the time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """One collector as its doors see it.

    ``decoders`` are worker processes for OTLP and remote write; ``writers`` threads that wait for the disk, of their
    own, so that however many bodies wait for it, pages do not.
    """

    store: Store
    registry: Registry
    settings: CollectorSettings
    site: str
    decoders: Executor
    writers: Executor = field(default_factory=partial(ThreadPoolExecutor, _WRITERS, "intake"))
    growth: Growth = field(default_factory=Growth)
    clock: Callable[[], datetime] = utc_now
    meters: Meters = field(default_factory=Meters)
    notes: DoorNotes = field(init=False)
    callers: Callers = field(init=False)
    room: Room = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", DoorNotes(site=self.site, clock=self.clock))
        object.__setattr__(self, "callers", Callers(self.registry))
        object.__setattr__(self, "room", Room(self.settings.limits.waiting_bytes))


def doors(request: Request) -> Doors:
    """Give the collector this request came to."""
    found = request.app.state.doors
    assert isinstance(found, Doors)
    return found


async def _here(request: Request) -> Doors:
    return doors(request)  # the framework takes a plain function to a thread and back, for every request


Here = Annotated[Doors, Depends(_here)]


async def authenticated(request: Request, here: Here) -> Agent:
    """Find who sent this request. Raises Problem 401, always with the same words."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    agent = None
    if scheme.lower() == "bearer" and token.strip():
        agent = here.callers.known(token.strip()) or await run_in_threadpool(here.callers.find, token.strip())
    if agent is None:
        detail = "send Authorization: Bearer TOKEN with a token from enrolment that was not revoked"
        raise Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="whichlayer"'})
    request.state.sender = agent
    return agent


def sender(request: Request) -> Agent | None:
    """Give whose agent sent this request; None of nobody we know, and of an operator, who reads the answer."""
    found = getattr(request.state, "sender", None)
    return found if isinstance(found, Agent) and found.scope is Scope.AGENT else None


Sender = Annotated[Agent, Depends(authenticated)]


async def operating(agent: Sender) -> Agent:
    """Let operators pass. Raises Problem 403."""
    if agent.scope is not Scope.OPERATOR:
        raise Problem(403, "only an operator's token may do this: see operator.token in the data folder")
    return agent


Operator = Annotated[Agent, Depends(operating)]
