"""What ``whichlayer why`` asks and how it prints the answer."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from analysis.why import why
from collector.model.errors import WhichlayerError
from collector.model.verdict import Reference, Status, Verdict
from collector.public import verdict_json
from dashboards import wording
from dashboards.causes import by_cause
from dashboards.layers import Row, arranged
from whichlayer.data import chosen, opened

_LAST = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_EARLIEST, _LATEST = 1971, 2200  # what the doors take as a time, and a year to look back from it
_BAD = (Status.SLOW, Status.FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question."""

    against: Reference
    start: datetime
    end: datetime
    now: datetime

    @classmethod
    def of(cls, *, against: str, last: str, start: datetime | None, end: datetime | None) -> "Asked":
        """Read the options. Raises typer.BadParameter, which says what to write instead."""
        now = datetime.now(UTC)
        words = [str(reference) for reference in Reference]
        if against not in words:
            raise typer.BadParameter(f"write one of {', '.join(words)}", param_hint="--against")
        found = _LAST.fullmatch(last.strip())
        if found is None:
            raise typer.BadParameter("write a number and s, m, h or d, such as 30m, 1h or 30d", param_hint="--last")
        until = _utc(end) or now
        try:
            begin = _utc(start) or until - timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
        except OverflowError:
            raise typer.BadParameter("that is longer than any data go back", param_hint="--last") from None
        if not _EARLIEST <= begin.year <= until.year <= _LATEST:
            raise typer.BadParameter(f"write years between {_EARLIEST} and {_LATEST}", param_hint="--start")
        if begin >= until:
            raise typer.BadParameter("the window ends before it starts", param_hint="--start")
        return cls(against=Reference(against), start=begin, end=until, now=now)


def verdicts(asked: Asked, *, config: Path, data: Path | None) -> list[Verdict]:
    """Ask the store of ``config``, or the folder ``data``."""
    collector, analysis = chosen(config, data)
    with opened(collector) as (store, registry):
        return why(store, registry, analysis, start=asked.start, end=asked.end, against=asked.against, now=asked.now)


def stored(verdict_id: str, version: int | None, *, config: Path, data: Path | None) -> list[Verdict]:
    """Give every version of a stored verdict, the one asked for first, else the latest. Raises WhichlayerError."""
    collector, _ = chosen(config, data)
    with opened(collector) as (_store, registry):
        last = registry.verdict(verdict_id)
        every = [registry.verdict(verdict_id, number) for number in range(last.version, 0, -1)] if last else []
    found = [one for one in every if one is not None]
    if not any(version in {None, one.version} for one in found):
        raise WhichlayerError(f"there is no verdict {verdict_id}" + (f" version {version}" if version else ""))
    return sorted(found, key=lambda one: one.version != version) if version else found


def print_versions(found: Sequence[Verdict]) -> None:
    """Print the first in full, then what each version changed."""
    console = Console(highlight=False)
    _print_group(console, found[:1])
    if found[0].merged_into:
        console.print(f"It goes on in verdict {found[0].merged_into}.")
    for one in sorted(found, key=lambda one: one.version):
        why_so = "; ".join(one.changed) or ("first told" if one.version == 1 else "not told")
        console.print(Text(f"version {one.version}, {one.facts_end or one.reached_at:%Y-%m-%d %H:%M} UTC: {why_so}"))


def print_json(found: Sequence[Verdict]) -> None:
    """Print the list for machines."""
    json.dump([verdict_json(verdict) for verdict in found], sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_sentences(found: Sequence[Verdict], asked: Asked) -> None:
    """Print what is slow or failing, worst first and alike ones once, then a line for the rest."""
    console = Console(highlight=False)
    bad = [verdict for verdict in found if verdict.status in _BAD]
    for group in by_cause(bad):
        _print_group(console, group)
    normal = sum(verdict.status is Status.NORMAL for verdict in found)
    unsure = [verdict for verdict in found if verdict.status is Status.NOT_ENOUGH_EVIDENCE]
    if not found:
        console.print(f"No runs between {asked.start:%Y-%m-%d %H:%M} and {asked.end:%Y-%m-%d %H:%M} UTC.")
    elif not bad:
        console.print(f"Nothing was slow or failing against {wording.REFERENCE[asked.against]}.")
    if normal:
        console.print(f"{normal} step{'s' * (normal != 1)} by access: as usual.")
    for verdict in unsure:
        console.print(wording.sentence(verdict))


def _print_group(console: Console, group: Sequence[Verdict]) -> None:
    first = group[0]
    console.print(Text(wording.sentence(first), style="bold"))
    if first.where is not None:
        console.print(Text(f"  {wording.where(first)}"))
    told = arranged(first)
    for row in told.rows:
        _print_row(console, row)
    for row in told.undecided:
        _print_row(console, row)
    if told.unmeasured:
        console.print(Text(f"  not measured: {', '.join(told.unmeasured)}"))
    console.print(Text(f"  {wording.unexplained(first)}"))
    for note in wording.quality(first)[1:] if first.evidence_removed else first.data_quality:
        console.print(Text(f"  note: {note}"))
    if len(group) > 1:
        console.print(f"  The same answer for {len(group) - 1} more:")
        for verdict in group[1:]:
            what = wording.doing(verdict.journey, verdict.step, verdict.population)
            console.print(Text(f"    {what}: {wording.excess(verdict)}"))
    methods = ", ".join(f"{use.name} {use.version}" for use in first.methods)
    console.print(
        Text(
            f"  rung {first.rung}; methods {methods}; counting rules {first.counting_rules}; "
            f"snapshot {first.snapshot}; verdict {first.id} version {first.version}\n",
            style="dim",
        )
    )


def _print_row(console: Console, row: Row) -> None:
    share = f", {row.share}" if row.share else ""
    console.print(Text(f"  {row.name}: {wording.STATE[row.state]}{share}"))
    for evidence in row.evidence_for:
        console.print(Text(f"    for: {evidence.text}"))
    for evidence in row.evidence_against:
        console.print(Text(f"    against: {evidence.text}"))


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
