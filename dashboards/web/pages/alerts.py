"""Alerts: what every rule says now, and which messages went out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from collector.model.alert import Alert, AlertState, public_alert, severity
from dashboards import alert_words
from dashboards.web.pages.downloads import download
from dashboards.web.view import View

SHOWN = 50
_OLD = timedelta(minutes=15)
_ICON = {"critical": "failing", "warning": "slow", "ok": "normal"}


def add(router: APIRouter, view: View) -> None:
    """Add ``/alerts``, ``/api/v1/alerts`` and ``/api/v1/alerts.csv``."""

    @router.get("/alerts", response_class=HTMLResponse, include_in_schema=False)
    def alerts(request: Request) -> HTMLResponse:
        found = sorted(view.registry.alerts(), key=alert_words.order)
        newest = max((alert.at for alert in found), default=None)
        return view.page(
            request,
            "alerts.html",
            open=[alert for alert in found if severity(alert.state)],
            unknown=[alert for alert in found if alert.state is AlertState.STALE],
            others=[alert for alert in found if not severity(alert.state) and alert.state is not AlertState.STALE],
            counts=Counter(alert.state for alert in found),
            newest=newest,
            old=newest is not None and view.now() - newest > _OLD,
            notices=view.registry.notices(limit=SHOWN),
            words=alert_words,
            told=lambda alert: _told(view, alert),
            icon=lambda state: _ICON.get(state, str(state)),
        )

    @router.get("/api/v1/alerts", tags=["conclusions"])
    def states() -> Sequence[Mapping[str, object]]:
        """List what every rule says now, critical first."""
        return [public_alert(alert) for alert in sorted(view.registry.alerts(), key=alert_words.order)]

    @router.get("/api/v1/alerts.csv", tags=["downloads"], response_class=Response)
    def table() -> Response:
        """Give the same as CSV, times in UTC."""
        found = sorted(view.registry.alerts(), key=alert_words.order)
        return download(pa.Table.from_pylist([_row(alert) for alert in found], schema=_COLUMNS), "alerts.csv")


_COLUMNS = pa.schema(
    dict.fromkeys(
        (
            *("state", "rule", "site", "environment", "journey", "step", "link", "presentation", "endpoint"),
            *("since", "heard_at", "evidence", "counting", "verdict", "acknowledged_by", "key"),
        ),
        pa.string(),
    )
)


def _row(alert: Alert) -> Mapping[str, object]:
    population = alert.subject.population
    told = {"link": str(population.link), "presentation": str(population.presentation)}
    return public_alert(alert) | told | {"evidence": alert_words.ground(alert)}


def _told(view: View, alert: Alert) -> tuple[str, str]:
    """Give the page that shows most of an alert, and its evidence in words: of a verdict, what that says."""
    verdict = view.registry.verdict(alert.verdict_id) if alert.verdict_id else None
    said = alert_words.ground(alert, view.clock) or (view.sentence(verdict) if verdict else "")
    return alert_words.link("", alert, verdict), said
