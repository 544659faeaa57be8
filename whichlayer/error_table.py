"""Errors by pattern on the terminal: a table for people, a list for programs."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dashboards.clock import utc
from dashboards.facts.errors import ErrorRow
from dashboards.quantity import percent


def print_json(rows: Sequence[ErrorRow]) -> None:
    """Print the list for machines; rates are 0 to 1, times UTC."""
    json.dump([_plain(row) for row in rows], sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(rows: Sequence[ErrorRow], start: datetime, end: datetime) -> None:
    """Print one line for each pattern, journey and release."""
    console = Console(highlight=False)
    if not rows:
        console.print(f"No step failed between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "error", "journey", "release", "runs", "first seen (UTC)", "last seen (UTC)"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    console.print(table)


def _cells(row: ErrorRow) -> Sequence[str]:
    return (
        f"{row.pattern.kind} {row.pattern.id}",
        row.pattern.template or ", ".join(row.outcomes),
        f"{row.journey}: {', '.join(row.steps)}",
        row.release or "not known",
        f"{percent(row.rate)} ({row.runs} of {row.of_runs})",
        f"{row.first_seen:%Y-%m-%d %H:%M}{' new' if row.new else ''}",
        f"{row.last_seen:%Y-%m-%d %H:%M}",
    )


def _plain(row: ErrorRow) -> dict[str, Any]:
    return {
        "id": row.pattern.id,
        "kind": row.pattern.kind,
        "template": row.pattern.template,
        "example": row.example,
        "site": row.site,
        "environment": row.environment,
        "journey": row.journey,
        "release": row.release,
        "steps": list(row.steps),
        "outcomes": list(row.outcomes),
        "runs": row.runs,
        "of_runs": row.of_runs,
        "rate": row.rate,
        "first_seen": utc(row.first_seen),
        "last_seen": utc(row.last_seen),
        "new": row.new,
        "last_run": row.last_run,
    }
