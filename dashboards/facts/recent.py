"""What ran lately: the last run and the usual interval of each journey and access, and a line per step."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.access import Link, Population, Presentation
from collector.store import Slice, Store
from dashboards.clock import aware

_KEYS = ("site", "journey", "environment", "link", "presentation")
BUCKETS = 48  # points of a line: enough for a shape, few enough for hundreds of lines on one page


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Walked:
    """A journey as one access walks it in one environment ("live", "test" …)."""

    site: str
    journey: str
    environment: str
    population: Population


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """``interval_seconds`` is the median gap between slots, None when there was one slot only."""

    slot: datetime
    run_id: str
    outcome: str
    runs: int
    interval_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Medians of measured durations in equal buckets of the period, and what else happened in it.

    ``points`` are (bucket, seconds); ``limits`` are buckets in which a time limit was reached.
    """

    points: tuple[tuple[int, float], ...]
    limits: frozenset[int]
    position: int
    measured: int
    timeouts: int
    failures: int


def last_runs(store: Store, now: datetime, lookback: timedelta) -> Mapping[Walked, LastRun]:
    """Find the latest run of each journey and access in the period, by slot."""
    columns = ["slot", *_KEYS, "run_id", "outcome"]
    rows = store.scan("runs", Slice(start=now - lookback, end=now + timedelta(hours=1)), columns=columns)
    if rows.num_rows == 0:
        return {}
    slots = rows.group_by([*_KEYS, "slot"]).aggregate([("run_id", "max"), ("outcome", "max"), ("run_id", "count")])
    found: dict[Walked, list[dict[str, object]]] = defaultdict(list)
    for row in slots.sort_by("slot").to_pylist():
        found[_walked(row)].append(row)
    return {key: _last(entries) for key, entries in found.items()}


def lines(store: Store, now: datetime, lookback: timedelta) -> Mapping[tuple[Walked, str], Line]:
    """Draw each step's recent durations as a line, by journey, access and step."""
    start = now - lookback
    columns = ["slot", *_KEYS, "step", "position", "outcome", "seconds"]
    asked = Slice(start=start, end=now + timedelta(seconds=1), where={"mixed": ["false"]})
    rows = store.scan("steps", asked, columns=columns)
    if rows.num_rows == 0:
        return {}
    width = max(1, int(lookback.total_seconds() * 1_000_000 / BUCKETS))
    since = pc.subtract(pc.cast(rows["slot"], pa.int64()), int(start.timestamp() * 1_000_000))
    rows = rows.append_column("bucket", pc.divide(since, width))
    measured = pc.is_in(rows["outcome"], pa.array(["ok", "slow"]))
    keys = [*_KEYS, "step", "bucket"]
    medians = rows.filter(measured).group_by(keys).aggregate([("seconds", "approximate_median"), ("seconds", "count")])
    counted = rows.group_by([*keys, "outcome"]).aggregate([("outcome", "count"), ("position", "min")])
    return _assemble(medians.to_pylist(), counted.to_pylist())


def _assemble(medians: list[dict[str, object]], counted: list[dict[str, object]]) -> Mapping[tuple[Walked, str], Line]:
    points: dict[tuple[Walked, str], list[tuple[int, float]]] = defaultdict(list)
    for row in medians:
        points[_walked(row), str(row["step"])].append((_whole(row["bucket"]), _real(row["seconds_approximate_median"])))
    totals: dict[tuple[Walked, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    limits: dict[tuple[Walked, str], set[int]] = defaultdict(set)
    places: dict[tuple[Walked, str], int] = {}
    for row in counted:
        key = (_walked(row), str(row["step"]))
        totals[key][str(row["outcome"])] += _whole(row["outcome_count"])
        places[key] = min(places.get(key, 1000), _whole(row["position_min"]))
        if row["outcome"] == "timeout":
            limits[key].add(_whole(row["bucket"]))
    return {
        key: Line(
            points=tuple(sorted(points[key])),
            limits=frozenset(limits[key]),
            position=places[key],
            measured=total["ok"] + total["slow"],
            timeouts=total["timeout"],
            failures=total["failed"] + total["dropped"],
        )
        for key, total in totals.items()
    }


def _last(entries: list[dict[str, object]]) -> LastRun:
    slots = [_time(entry["slot"]) for entry in entries]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(slots)]
    newest = entries[-1]
    return LastRun(
        slot=aware(slots[-1]),
        run_id=str(newest["run_id_max"]),
        outcome=str(newest["outcome_max"]),
        runs=sum(_whole(entry["run_id_count"]) for entry in entries),
        interval_seconds=median(gaps) if gaps else None,
    )


def _walked(row: Mapping[str, object]) -> Walked:
    population = Population(link=Link(str(row["link"])), presentation=Presentation(str(row["presentation"])))
    return Walked(
        site=str(row["site"]), journey=str(row["journey"]), environment=str(row["environment"]), population=population
    )


def _time(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _real(value: object) -> float:
    assert isinstance(value, float)
    return value
