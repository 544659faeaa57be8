"""Errors as data: which kinds there are, in which journey and release, how often, and since when."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from dashboards.facts import errors
from dashboards.web.view import View

USUAL = timedelta(days=7)
SHOWN = 200


class Question(BaseModel):
    """What the form of ``/errors`` sends. Times without a zone are local; empty means the last week, every journey."""

    journey: str = ""
    start: str = ""
    end: str = ""


def add(router: APIRouter, view: View) -> None:
    """Add ``/errors``."""

    @router.get("/errors", response_class=HTMLResponse, include_in_schema=False)
    def of_window(request: Request, question: Annotated[Question, Query()]) -> HTMLResponse:
        start, end = view.period(question.start, question.end, USUAL)
        found = errors.read(view.store, start, end)
        asked = [row for row in found if question.journey in {"", row.journey}]
        return view.page(
            request,
            "errors.html",
            rows=asked[:SHOWN],
            left_out=max(0, len(asked) - SHOWN),
            journeys=sorted({row.journey for row in found}),
            journey=question.journey,
            start=start,
            end=end,
            sites=len({row.site for row in found}) > 1,
            lookback=errors.LOOKBACK.days,
        )
