"""What the benches of simulated worlds have in common: progress, and a table or JSON at the end."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table


def drawn(worlds: int, name: str) -> Iterable[int]:
    """Count worlds, and say on standard error how far it is."""
    return track(range(worlds), description=name, console=Console(stderr=True))


def run(
    measure: Callable[[int], Iterable[Any]],
    laid_out: Callable[[list[Any]], Table],
    *,
    words: str | None,
    worlds: int,
    of: str,
) -> None:
    """Read the options, measure, and print the rows (dataclasses with a ``share``)."""
    arguments = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--worlds", type=int, default=worlds, help=of)
    arguments.add_argument("--json", action="store_true", help="print for machines")
    options = arguments.parse_args()
    rows = list(measure(options.worlds))
    if options.json:
        sys.stdout.write(json.dumps([{**asdict(row), "share": row.share} for row in rows]) + "\n")
    else:
        Console(width=140).print(laid_out(rows))
