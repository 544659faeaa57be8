"""What is concluded, as JSON: the same verdicts the pages and ``whichlayer why`` show."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from collector.public import verdict_json
from dashboards.web.view import View

_DEFAULT = timedelta(days=7)


def add(router: APIRouter, view: View) -> None:
    """Add ``/api/v1/standing``, ``/api/v1/verdicts`` and ``/api/v1/verdicts/<id>``."""

    @router.get("/api/v1/standing", tags=["conclusions"])
    def standing() -> Sequence[Mapping[str, object]]:
        """List what is said now of each journey step and access, whatever its status."""
        return [verdict_json(verdict) for verdict in view.registry.standing()]

    @router.get("/api/v1/verdicts", tags=["conclusions"])
    def verdicts(
        start: str = "", end: str = "", limit: Annotated[int, Query(ge=1, le=5000)] = 500
    ) -> Sequence[Mapping[str, object]]:
        """List the slow and failing verdicts that overlap a window (the last 7 days), newest first."""
        until = view.instant(end, "end") if end else view.now()
        since = view.instant(start, "start") if start else until - _DEFAULT
        return [verdict_json(verdict) for verdict in view.registry.verdicts(since, until, limit=limit)]

    @router.get("/api/v1/verdicts/{verdict_id}", tags=["conclusions"])
    def one(verdict_id: str, version: int | None = None) -> Mapping[str, object]:
        """Give one verdict, its latest version unless told."""
        verdict = view.registry.verdict(verdict_id, version)
        if verdict is None:
            raise HTTPException(404, "There is no such verdict.")
        shown: Mapping[str, object] = verdict_json(verdict)
        return shown
