"""The map of the estate: what runs on what, who shares it and who answers, beside what has data."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards import estate_words
from dashboards.facts.estate import survey
from dashboards.web.estate_picture import HIGH, WIDE, drawn
from dashboards.web.view import View


def add(router: APIRouter, view: View) -> None:
    """Add ``/estate``."""

    @router.get("/estate", response_class=HTMLResponse, include_in_schema=False)
    def estate(request: Request) -> HTMLResponse:
        mapped = view.registry.estate()
        found = None if mapped is None else survey(view.store, mapped, view.now())
        picture = drawn(found.parts) if found else None
        return view.page(
            request, "estate.html", found=found, picture=picture, box=(WIDE, HIGH), words=estate_words, mapped=mapped
        )
