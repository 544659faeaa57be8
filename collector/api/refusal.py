"""The answer to every error at a door; what a known sender has lost by it is noted for the data-quality ledger."""

from starlette.requests import Request
from starlette.responses import Response

from collector.api.doors import doors, sender
from collector.api.problem import Problem, of_error, respond

_LOST = frozenset({400, 408, 413, 415, 422})  # 401 is nobody we know; after 503 it is sent again


async def handler(request: Request, error: Exception) -> Response:
    """Answer every error the framework hands over."""
    problem = of_error(error)
    _note(request, problem)
    return respond(problem)


def _note(request: Request, problem: Problem) -> None:
    who = sender(request)
    brings_facts = "facts" in getattr(request.scope.get("route"), "tags", ())
    if who is not None and brings_facts and problem.status in _LOST:
        place = f"{problem.field}: " if problem.field else ""
        doors(request).notes.refused(who.endpoint, 1, f"{request.url.path}: {place}{problem.detail}", unit="batches")
