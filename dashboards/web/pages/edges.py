"""Screens, printers, links: what lies between people and the application, and beyond it."""

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from dashboards import edge_words
from dashboards.facts import edges
from dashboards.web.view import View

HOURS = 24


def add(router: APIRouter, view: View) -> None:
    """Add ``/edges``."""

    @router.get("/edges", response_class=HTMLResponse, include_in_schema=False)
    def seen(request: Request) -> HTMLResponse:
        now = view.now()
        found = edges.read(view.store, now - timedelta(hours=HOURS), now + timedelta(seconds=1))
        places = {edge.walked.site for drivers in found.values() for edge in drivers}
        return view.page(request, "edges.html", found=found, sites=len(places) > 1, hours=HOURS, words=edge_words)
