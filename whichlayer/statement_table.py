"""Kinds of statements on the terminal: a table for people, a list for programs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dashboards.facts.statements import Kind
from dashboards.quantity import percent, seconds


def print_json(kinds: Sequence[Kind]) -> None:
    """Print the list for machines."""
    json.dump([asdict(kind) for kind in kinds], sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(kinds: Sequence[Kind], most: int) -> None:
    """Print one line for each kind, up to ``most``. Shares are of what all of them took."""
    console = Console(highlight=False)
    if not kinds:
        console.print("No statement was told in this time: docs/collector.md#statements says what they need.")
        return
    whole = sum(kind.seconds for kind in kinds)
    names = ("time", "mean", "slowest mean", "calls")
    table = Table(
        Column("component", no_wrap=True), *names, Column("statement", overflow="fold"),
        box=None, pad_edge=False, header_style="bold",
    )  # fmt: skip
    for kind in kinds[:most]:
        mean, slowest = seconds(kind.mean_seconds), seconds(kind.slowest_seconds)
        cells = (kind.component, percent(kind.seconds / whole), mean, slowest, f"{kind.calls:.0f}", kind.shape)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
