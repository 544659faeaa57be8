"""``GET /v1/verdicts``: what was concluded, and what stands now."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.openapi.models import Example

from collector.api.body import BodyRoute
from collector.api.doors import Here, Operator
from collector.api.intake import refused
from collector.api.period import End, Start, period
from collector.api.problem import Problem
from collector.model.verdict import Verdict

ROUTER = APIRouter(tags=["verdicts"], route_class=BodyRoute)
_NONE = {"none": Example(summary="as GET /v1/verdicts gives them", value=[])}


@ROUTER.get("/v1/verdicts", responses=refused(401, 403, 422))
def list_verdicts(
    here: Here,
    _operator: Operator,
    start: Start = None,
    end: End = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> list[Verdict]:
    """List slow and failing verdicts that overlap a period, newest first."""
    return list(here.registry.verdicts(*period(here, start, end), limit=limit))


@ROUTER.get("/v1/standing", responses=refused(401, 403))
def list_standing(here: Here, _operator: Operator) -> list[Verdict]:
    """List what is said now of each journey step and population, also when it is normal."""
    return list(here.registry.standing())


@ROUTER.get("/v1/verdicts/{verdict_id}", responses=refused(401, 403, 404, 422))
def one_verdict(
    here: Here, _operator: Operator, verdict_id: str, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> Verdict:
    """Give one verdict, its latest version unless told."""
    found = here.registry.verdict(verdict_id, version)
    if found is None:
        raise Problem(404, "there is no such verdict: GET /v1/verdicts lists them")
    return found


@ROUTER.put("/v1/verdicts", status_code=204, responses=refused(400, 401, 403, 415, 422))
def put_verdicts(
    here: Here, _operator: Operator, verdicts: Annotated[list[Verdict], Body(openapi_examples=_NONE)]
) -> None:
    """Keep verdicts drawn on demand; the same id and version again changes nothing."""
    here.registry.put_verdicts(verdicts)
