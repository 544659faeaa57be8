"""What ``whichlayer export`` is asked with and what it shows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from whichlayer.export import EARLIEST, LATEST, PARTS, Exported, Format, Split, Tell, Wanted

_Word = TypeVar("_Word", bound=StrEnum)


def asked(
    *, tables: Sequence[str], start: datetime | None, end: datetime | None, sites: Sequence[str], kind: str, split: str
) -> Wanted:
    """Read the options. Raises typer.BadParameter, which says what to write instead."""
    names = [name.strip() for one in tables for name in one.split(",")]
    if unknown := sorted(set(names) - set(PARTS)):
        raise typer.BadParameter(f"{', '.join(unknown)}: write some of {', '.join(PARTS)}", param_hint="--tables")
    first, last = _utc(start) or EARLIEST, _utc(end) or LATEST
    if not EARLIEST <= first < last <= LATEST:
        raise typer.BadParameter("the period must begin before it ends, in 1970 to 2200", param_hint="--start")
    return Wanted(
        parts=[part for part in PARTS if not names or part in names],
        start=first,
        end=last,
        sites=sites,
        format=_word(Format, kind, "--format"),
        split=_word(Split, split, "--split"),
    )


@contextmanager
def progress() -> Iterator[Tell]:
    """Show on a terminal's standard error what is being written; elsewhere show nothing."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} rows"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("counting rows", total=None)
        yield lambda what, rows: bar.update(task, description=what, advance=rows)


def show(folder: Path, done: Exported) -> None:
    """Print what was written."""
    table = Table("part", "rows", "files")
    for name, part in done.parts.items():
        table.add_row(name, f"{part.rows:,}", str(len(part.files)))
    console = Console()
    console.print(table)
    print(f"{folder}: snapshot {done.snapshot}; begin with README.txt")
    if not any(part.rows for part in done.parts.values()):
        print("There are no rows in this period and of this site: only README.txt and schema.json were written.")


def _word(words: type[_Word], text: str, option: str) -> _Word:
    if text not in list(words):
        raise typer.BadParameter(f"write one of {', '.join(words)}", param_hint=option)
    return words(text)


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
