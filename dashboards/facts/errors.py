"""Errors of a window by pattern, journey and release: how often, and since when."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.error_pattern import ErrorPattern, pattern
from collector.model.run import MEASURED, Outcome
from collector.store import Slice, Store
from dashboards.clock import aware

LOOKBACK = timedelta(days=90)  # how far before the window a first time is looked for
_WALK = ("site", "environment", "journey")
_TEXTS = ("outcome", "error_kind", "error")
_BAD = [str(outcome) for outcome in Outcome if outcome not in MEASURED]

Walk = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """One pattern in one journey on one release.

    ``runs`` of ``of_runs`` had it. ``first_seen`` is the pattern's first time in this journey, on any
    release, in the window or up to 90 days before it. ``release`` is None when no run has seen one.
    """

    pattern: ErrorPattern
    site: str
    environment: str
    journey: str
    release: str | None
    outcomes: tuple[str, ...]
    steps: tuple[str, ...]
    example: str
    runs: int
    of_runs: int
    first_seen: datetime
    last_seen: datetime
    last_run: str
    new: bool

    @property
    def rate(self) -> float:
        """Give the share of runs that had it, 0 to 1."""
        return self.runs / self.of_runs


@dataclass(slots=True)
class _Found:
    runs: set[str] = field(default_factory=set)
    steps: dict[str, None] = field(default_factory=dict)
    outcomes: set[str] = field(default_factory=set)
    example: str = ""
    first: datetime = datetime.max  # noqa: DTZ901  naive UTC, as the store has it
    last: tuple[datetime, str] = (datetime.min, "")  # noqa: DTZ901

    def add(self, row: Mapping[str, Any]) -> None:
        self.runs.add(row["run_id"])
        self.steps[row["step"]] = None
        self.outcomes.add(row["outcome"])
        self.first = min(self.first, row["slot"])
        if (row["slot"], row["run_id"]) >= self.last:
            self.last = (row["slot"], row["run_id"])
            self.example = row["error"] or ""


Key = tuple[ErrorPattern, Walk, str | None]


def read(store: Store, start: datetime, end: datetime) -> list[ErrorRow]:
    """List every error of the window, the most frequent first.

    A run that failed before it saw the release counts for the one that was seen last before it.
    """
    columns = ["slot", *_WALK, "run_id", "step", "release", *_TEXTS]
    found: dict[Key, _Found] = defaultdict(_Found)
    walked: dict[tuple[Walk, str | None], int] = {}
    for walk, rows in _by_walk(store.scan("steps", Slice(start=start, end=end), columns=columns)):
        position = rows.column_names.index("release")
        released = rows.set_column(position, "release", pc.fill_null_forward(rows["release"]))
        for counted in released.group_by("release").aggregate([("run_id", "count_distinct")]).to_pylist():
            walked[walk, counted["release"]] = counted["run_id_count_distinct"]
        for row in released.filter(pc.is_in(released["outcome"], pa.array(_BAD))).to_pylist():
            found[_pattern(row), walk, row["release"]].add(row)
    earlier = _earlier(store, start) if found else {}
    first = _first(found, earlier)
    rows = [_row(key, what, walked[key[1], key[2]], first[key[:2]], start) for key, what in found.items()]
    return sorted(rows, key=lambda row: (-row.runs, row.journey, row.pattern, row.site, row.release or ""))


def _by_walk(steps: pa.Table) -> Iterator[tuple[Walk, pa.Table]]:
    """Give the steps of each journey, in the order of their slots."""
    for walk in steps.select(list(_WALK)).group_by(list(_WALK)).aggregate([]).to_pylist():
        mine = [pc.equal(steps[name], walk[name]) for name in _WALK]
        yield tuple(walk[name] for name in _WALK), steps.filter(pc.and_(pc.and_(mine[0], mine[1]), mine[2]))


def _pattern(row: Mapping[str, object]) -> ErrorPattern:
    text = row["error"]
    return pattern(str(row["error_kind"] or row["outcome"]), str(text) if text else None)


def _earlier(store: Store, start: datetime) -> dict[tuple[ErrorPattern, Walk], datetime]:
    """Find when each pattern was first seen before the window; naive UTC, as the store has it."""
    before = Slice(start=start - LOOKBACK, end=start, where={"outcome": _BAD})
    errors = store.scan("steps", before, columns=["slot", *_WALK, *_TEXTS])
    alike = errors.group_by([*_WALK, *_TEXTS]).aggregate([("slot", "min")]).to_pylist()
    seen: dict[tuple[ErrorPattern, Walk], datetime] = {}
    for row in alike:
        key = _pattern(row), (row["site"], row["environment"], row["journey"])
        seen[key] = min(row["slot_min"], seen.get(key, row["slot_min"]))
    return seen


def _first(
    found: Mapping[Key, _Found], earlier: Mapping[tuple[ErrorPattern, Walk], datetime]
) -> dict[tuple[ErrorPattern, Walk], datetime]:
    first = dict(earlier)
    for (said, walk, _), what in found.items():
        first[said, walk] = min(what.first, first.get((said, walk), what.first))
    return first


def _row(key: Key, what: _Found, of_runs: int, first: datetime, start: datetime) -> ErrorRow:
    said, (site, environment, journey), release = key
    return ErrorRow(
        pattern=said,
        site=site,
        environment=environment,
        journey=journey,
        release=release,
        outcomes=tuple(sorted(what.outcomes)),
        steps=tuple(what.steps),
        example=what.example,
        runs=len(what.runs),
        of_runs=of_runs,
        first_seen=aware(first),
        last_seen=aware(what.last[0]),
        last_run=what.last[1],
        new=aware(first) >= start,
    )
