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
    """Print one line for each event."""
    console = Console(highlight=False)
    if not events:
        console.print(quality_words.NOTHING)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("from (UTC)", "until (UTC)", "what", "of", "how much", "detail"):
        table.add_column(heading, overflow="fold")
    for event in events:
        until = "still so" if event.until is None else f"{event.until:%Y-%m-%d %H:%M}"
        cells = (f"{event.at:%Y-%m-%d %H:%M}", until, quality_words.KIND[event.kind], quality_words.about(event))
        table.add_row(*(Text(cell) for cell in (*cells, quality_words.amount(event), event.detail)))
    console.print(table)
