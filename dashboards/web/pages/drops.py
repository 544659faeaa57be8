"""Sessions held open: how often they were lost, why, and what became of the work in them."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.public import drops_json
from dashboards import session_words
from dashboards.facts import sessions
from dashboards.web.view import View

DAYS = 30


def add(router: APIRouter, view: View) -> None:
    """Add ``/drops``, and ``/api/v1/drops`` with the same rates as JSON."""

    @router.get("/drops", response_class=HTMLResponse, include_in_schema=False)
    def drops(request: Request) -> HTMLResponse:
        now = view.now()
        ended, more = sessions.ends(view.store, now - timedelta(days=DAYS), now)
        return view.page(
            request, "drops.html", report=view.registry.drops(), ended=ended, more=more, days=DAYS, words=session_words
        )

    @router.get("/api/v1/drops", tags=["conclusions"])
    def rates() -> Mapping[str, object] | None:
        """Give what was counted last of the sessions held open; null when nothing was counted yet."""
        report = view.registry.drops()
        return None if report is None else drops_json(report)
