"""What is wrong with the data themselves: the ledger, by time."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from collector.model.quality import QualityKind
from collector.quality.ledger import between
from dashboards import quality_words
from dashboards.web.view import View

USUAL = timedelta(hours=24)
SHOWN = 300


class Question(BaseModel):
    """What the form of ``/quality`` sends. Times without a zone are local; empty means the last day, every kind."""

    kind: str = ""
    start: str = ""
    end: str = ""


def add(router: APIRouter, view: View) -> None:
    """Add ``/quality``."""

    @router.get("/quality", response_class=HTMLResponse, include_in_schema=False)
    def of_window(request: Request, question: Annotated[Question, Query()]) -> HTMLResponse:
        start, end = view.period(question.start, question.end, USUAL)
        if question.kind and question.kind not in set(QualityKind):
            raise HTTPException(400, f"There is no kind {question.kind!r}: choose one of the list.")
        found = [event for event in between(view.store, start, end) if question.kind in {"", event.kind}]
        lines = quality_words.lines(found)
        over = [line for line in lines if line.event.until is not None]
        return view.page(
            request,
            "quality.html",
            lasting=[line for line in lines if line.event.until is None][:SHOWN],
            over=over[:SHOWN],
            left_out=max(0, len(over) - SHOWN),
            kind=question.kind,
            start=start,
            end=end,
            sites=len({event.site for event in found}) > 1,
            words=quality_words,
        )
