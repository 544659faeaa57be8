"""Every table of the pages as CSV, straight from the store."""

import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, HTTPException, Query, Response
from pyarrow import csv
from pydantic import BaseModel

from collector.model.verdict import Evidence, Verdict
from collector.store import Slice
from dashboards import wording
from dashboards.web.view import View

ROWS = 200_000  # more than a person opens in a spreadsheet; the limit is said, never silent
FILTERS: Mapping[str, Sequence[str]] = {
    "runs": ("site", "journey", "environment"),
    "steps": ("site", "journey", "step", "environment"),
    "samples": ("site", "component", "metric"),
}
_FORMULA = r"^([=+\-@\t\r])"


class Filter(BaseModel):
    """Which rows: a window, and values a column must have (empty: any)."""

    start: str
    end: str
    site: str = ""
    journey: str = ""
    step: str = ""
    environment: str = ""
    component: str = ""
    metric: str = ""


def add(router: APIRouter, view: View) -> None:
    """Add ``/api/v1/{runs,steps,samples}.csv`` and ``/api/v1/verdicts/<id>/layers.csv``."""

    @router.get("/api/v1/{table}.csv", tags=["downloads"], response_class=Response)
    def rows(table: str, asked: Annotated[Filter, Query()]) -> Response:
        """Give the rows of ``runs``, ``steps`` or ``samples`` in a window, as stored (times in UTC)."""
        if table not in FILTERS:
            raise HTTPException(404, f"There is no table {table!r}: choose runs, steps or samples.")
        since, until = view.instant(asked.start, "start"), view.instant(asked.end, "end")
        if not timedelta(0) < until - since <= timedelta(days=31):
            raise HTTPException(400, "The window must start before it ends and be at most 31 days long.")
        where = {name: [value] for name in FILTERS[table] if (value := getattr(asked, name))}
        found = view.store.scan(table, Slice(start=since, end=until, where=where))
        return download(found, f"{table}.csv")

    @router.get("/api/v1/verdicts/{verdict_id}/layers.csv", tags=["downloads"], response_class=Response)
    def layers(verdict_id: str, version: int | None = None) -> Response:
        """Give what one verdict says of each layer."""
        verdict = view.registry.verdict(verdict_id, version)
        if verdict is None:
            raise HTTPException(404, "There is no such verdict.")
        return download(_layers(verdict), "layers.csv")


def _layers(verdict: Verdict) -> pa.Table:
    columns = ("layer", "component", "state", "share", "low", "high", "evidence_for", "evidence_against")
    rows = [
        (
            str(part.layer),
            part.component,
            str(part.state),
            part.share,
            part.low,
            part.high,
            _said(part.evidence_for),
            _said(part.evidence_against),
        )
        for part in verdict.layers
    ]
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows])


def _said(evidence: Sequence[Evidence]) -> str:
    told = [(said.text, wording.numbers(said)) for said in evidence]
    return "; ".join(f"{text} ({numbers})" if numbers else text for text, numbers in told)


def download(table: pa.Table, name: str) -> Response:
    """Answer with a table as CSV that a spreadsheet takes for text."""
    sink = io.BytesIO()
    csv.write_csv(_harmless(table.slice(0, ROWS)), sink)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if table.num_rows > ROWS:
        headers["X-Whichlayer-Rows-Left-Out"] = str(table.num_rows - ROWS)
    return Response(sink.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _harmless(table: pa.Table) -> pa.Table:
    """Put an apostrophe before text a spreadsheet would run as a formula."""
    for index, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            safe = pc.replace_substring_regex(table.column(index), pattern=_FORMULA, replacement=r"'\1")
            table = table.set_column(index, column.name, safe)
    return table
