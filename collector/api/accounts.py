"""Probe accounts: who may use one now, and which are paused until a person resumes them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path
from fastapi.openapi.models import Example
from pydantic import Field

from collector.api.body import BodyRoute
from collector.api.doors import Here, Operator, Sender
from collector.api.intake import refused
from collector.api.problem import Problem
from collector.registry import Account, LeaseState

ROUTER = APIRouter(tags=["accounts"], route_class=BodyRoute)
Name = Annotated[str, Path(min_length=1, max_length=200, description="name of the account, never a password")]
_LEASE = {"two minutes": Example(value={"seconds": 120})}
_RELEASE = {"signing in worked": Example(value={"authenticated": True})}
_ERRORS = refused(400, 401, 415, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """For how long, in seconds: longer than the run can take. ``renew`` keeps what the sender holds already."""

    seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
    renew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Whether signing in worked; null when the run did not get that far."""

    authenticated: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Whether the account may be used."""

    state: LeaseState


@ROUTER.post("/v1/accounts/{name}/lease", responses=_ERRORS)
def lease(here: Here, agent: Sender, name: Name, wanted: Annotated[Lease, Body(openapi_examples=_LEASE)]) -> State:
    """Ask to use an account: never two runs of one account at once, none while it is paused."""
    now = here.clock()
    until = now + timedelta(seconds=wanted.seconds)
    return State(state=here.registry.lease(name, holder=agent.agent_id, until=until, now=now, renew=wanted.renew))


@ROUTER.post("/v1/accounts/{name}/release", responses=_ERRORS)
def release(
    here: Here, agent: Sender, name: Name, report: Annotated[Release, Body(openapi_examples=_RELEASE)]
) -> State:
    """Give an account back; the second failed sign-in in a row, from whichever agents, pauses it."""
    return State(
        state=here.registry.release(name, holder=agent.agent_id, authenticated=report.authenticated, now=here.clock())
    )


@ROUTER.post("/v1/accounts/{name}/resume", status_code=204, responses=refused(401, 403, 404, 422))
def resume(here: Here, _operator: Operator, name: Name) -> None:
    """Let a paused account be used again, after a person looked at it."""
    try:
        here.registry.resume(name)
    except LookupError:
        raise Problem(404, "there is no such account: GET /v1/accounts lists them") from None


@ROUTER.get("/v1/accounts", responses=refused(401, 403))
def list_accounts(here: Here, _operator: Operator) -> list[Account]:
    """List accounts by name."""
    return list(here.registry.accounts())
