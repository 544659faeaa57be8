"""The data-quality ledger on the terminal: a table for people, a list for programs."""

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.model.quality import QualityEvent
from dashboards import quality_words
from dashboards.clock import utc


def print_json(events: Sequence[QualityEvent]) -> None:
    """Print the list for machines; times are UTC, ``until`` is null while it lasts."""
    rows = [
        {
            "id": event.event_id,
            "kind": str(event.kind),
            "site": event.site,
            "subject": event.subject,
            "journey": event.journey,
            "layers": [str(layer) for layer in event.layers],
            "at": utc(event.at),
            "until": None if event.until is None else utc(event.until),
            "amount": event.amount,
            "unit": event.unit,
            "detail": event.detail,
        }
        for event in events
    ]
    json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(events: Sequence[QualityEvent]) -> None:
    """Print what is alike once, the newest last; at 80 columns no time is folded."""
    console = Console(highlight=False)
    if not events:
        console.print(quality_words.NOTHING)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("from (UTC)", "until"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what was wrong with the data", overflow="fold")
    for line in reversed(quality_words.lines(events)):
        said = Text(f"{line.said}, {line.amount}" if line.amount else line.said)
        said.append(f"\n{line.event.detail}" if line.event.detail else "", style="dim")
        table.add_row(f"{line.event.at:%Y-%m-%d %H:%M}", _until(line.event), said)
    console.print(table)


def _until(event: QualityEvent) -> str:
    if event.until is None:
        return "still so"
    same_day = event.until.date() == event.at.date()
    return f"{event.until:%H:%M}" if same_day else f"{event.until:%m-%d %H:%M}"
