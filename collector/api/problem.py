"""Errors as RFC 9457 problem details: what is wrong, where, what to do. Never a secret, never a traceback."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from collector.model.errors import RejectedBatch, StoreError, StoreFull

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 10


class Problem(Exception):
    """Ends a request with ``status``; ``field`` names the place in the body, if there is one.

    ``more`` are members of its own that a problem document may have beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.more = dict(more or {})
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {})
        super().__init__(detail)


def respond(problem: Problem) -> JSONResponse:
    """Write a problem as an answer."""
    body = problem.more | {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status}
    body["detail"] = problem.detail
    if problem.field is not None:
        body["field"] = problem.field
    return JSONResponse(body, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def of_validation(errors: ValidationError) -> Problem:
    """Say the first thing that is wrong, and where; what stands there is not repeated."""
    first = errors.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or None
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return Problem(400, f"the body is not JSON: {message}")
    more = errors.error_count() - 1
    return Problem(422, f"{message} (and {more} more)" if more else message, field=place)


def of_request(errors: RequestValidationError) -> Problem:
    """Say the first thing the framework found wrong with path, query or body."""
    first = errors.errors()[0]
    if first["type"] == "json_invalid":
        return Problem(400, "the body is not JSON")
    place = ".".join(str(part) for part in first["loc"][1:]) or None
    return Problem(422, str(first["msg"]).removeprefix("Value error, "), field=place)


def of_error(error: Exception) -> Problem:
    """Find the problem an error of the tool stands for."""
    for kind, translate in _TRANSLATIONS.items():
        if isinstance(error, kind):
            return translate(error)
    return Problem(500, "the collector made a mistake: its log says which")


def _later(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_SECONDS)})


_TRANSLATIONS: Mapping[type[Exception], Callable[[Any], Problem]] = {  # the first that fits
    Problem: lambda problem: problem,
    ValidationError: of_validation,
    RequestValidationError: of_request,
    RejectedBatch: lambda error: Problem(422, str(error), field=error.field),
    StoreFull: lambda _: _later("there is no room: nothing of this batch was kept, keep it and come back"),
    StoreError: lambda _: _later("the store cannot answer now: the log of the collector says why"),
    HTTPException: lambda error: Problem(error.status_code, str(error.detail), headers=error.headers),
}
