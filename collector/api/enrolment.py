"""How an agent gets its token: an operator invites, the code is traded once."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example
from pydantic import Field

from collector.api.body import BodyRoute
from collector.api.doors import Here, Operator
from collector.api.intake import refused
from collector.api.problem import Problem
from collector.model.checks import NAME
from collector.registry import Agent, Credentials, Scope

ROUTER = APIRouter(tags=["agents"], route_class=BodyRoute)
Endpoint = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
_INVITE = {"agent": Example(value={"endpoint": "ward-3-pc", "scope": "agent"})}
_ENROL = {"code": Example(value={"code": "a7Qx…", "endpoint": "ward-3-pc"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Who may enrol."""

    endpoint: Endpoint
    scope: Scope = Scope.AGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time enrolment code, good for 24 hours."""

    code: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling(Code):
    """A code, and the endpoint the agent says it is: a code for another one is not used up on it."""

    endpoint: Endpoint | None = None


@ROUTER.post("/v1/invitations", status_code=201, responses=refused(400, 401, 403, 415, 422))
def invite(here: Here, _operator: Operator, invitation: Annotated[Invitation, Body(openapi_examples=_INVITE)]) -> Code:
    """Make a one-time enrolment code."""
    return Code(code=here.registry.invite(invitation.endpoint, scope=invitation.scope, now=here.clock()))


@ROUTER.post("/v1/enrol", responses=refused(400, 403, 415, 422))
def enrol(here: Here, asked: Annotated[Enrolling, Body(openapi_examples=_ENROL)]) -> Credentials:
    """Trade a code for an agent id and a token. The token is shown once and kept only as a hash."""
    given = here.registry.enrol(asked.code, now=here.clock(), endpoint=asked.endpoint)
    if given is None:
        raise Problem(403, "the code is unknown, used or older than a day, or for another endpoint: ask for a new one")
    return given


@ROUTER.get("/v1/agents", responses=refused(401, 403))
def list_agents(here: Here, _operator: Operator) -> list[Agent]:
    """List agents by endpoint: when each was heard last and how far off its clock was."""
    return list(here.registry.agents())


@ROUTER.delete("/v1/agents/{agent_id}", status_code=204, responses=refused(401, 403, 404))
def revoke(here: Here, _operator: Operator, agent_id: str) -> None:
    """Refuse an agent from now on."""
    try:
        here.registry.revoke(agent_id, now=here.clock())
        here.callers.forget()
    except LookupError:
        raise Problem(404, "there is no such agent: GET /v1/agents lists them") from None
