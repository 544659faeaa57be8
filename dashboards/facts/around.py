"""What was measured around one step in one window: durations, phases and infrastructure samples."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.access import Link, Population, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.run import Phase
from collector.store import Slice, Store
from dashboards.clock import aware

RAW_POINTS = 300  # above this a population is drawn as medians of equal buckets
HOURLY_ABOVE = timedelta(hours=48)  # longer windows are read from the hourly summary
SERVER = (Phase.SERVER_APP, Phase.SERVER_DB, Phase.SERVER_STORAGE, Phase.SERVER_EXTERNAL, Phase.SERVER_IDENTITY)
PROBE = tuple(phase for phase in Phase if phase not in SERVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One step of one journey for one access, in one window: ``start <= slot < end``."""

    site: str
    journey: str
    step: str
    environment: str
    population: Population
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run, or the median of ``runs`` measured runs of a bucket.

    ``outcome`` is "ok", "slow", "timeout" (``seconds`` is then the least it can have been) or another
    bad outcome, whose ``seconds`` may be None.
    """

    at: datetime
    seconds: float | None
    outcome: str
    runs: int = 1
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Mean seconds of each part of the step in one bucket; what no phase covers is "rest"."""

    at: datetime
    until: datetime
    parts: Mapping[str, float]
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """The samples of one metric of one component, as (time, value), with the catalogue's words."""

    component: str
    metric: str
    unit: str | None
    meaning: str
    points: Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Everything drawn about one step: durations by access, and phases of the one access asked for."""

    start: datetime
    end: datetime
    bucketed: bool
    durations: Mapping[Population, Sequence[Point]]
    stacks: Sequence[Stack]


def read(store: Store, asked: Asked) -> Around:
    """Read the step's timings of all accesses, thinned for drawing; by the hour in a long window."""
    start, end = asked.start, asked.end
    where = {"site": [asked.site], "journey": [asked.journey], "step": [asked.step], "environment": [asked.environment]}
    if end - start > HOURLY_ABOVE:
        return _by_hour(store.hourly(Slice(start=start, end=end, where=where)), start, end)
    columns = ["run_id", "slot", "link", "presentation", "outcome", "seconds", "censored", *map(str, Phase)]
    counted = {**where, "mixed": ["false"]}  # what changed its access on the way belongs to none
    rows = store.scan("steps", Slice(start=start, end=end, where=counted), columns=columns)
    found: dict[Population, Sequence[Point]] = {}
    bucketed = False
    width = bucket_width(start, end)
    for key in sorted(_populations(rows), key=by_path):
        mine = rows.filter(_of(rows, key))
        if mine.num_rows > RAW_POINTS:
            bucketed = True
            found[key] = _medians(mine, width)
        else:
            found[key] = [_point(row) for row in mine.to_pylist()]
    own = rows.filter(_of(rows, asked.population)) if rows.num_rows else rows
    return Around(start=start, end=end, bucketed=bucketed, durations=found, stacks=_stacks(own, width))


def read_metric(
    store: Store, *, site: str, component: str, metric: str, start: datetime, end: datetime
) -> Metric | None:
    """Read one metric of one component; None when the store holds nothing of it in the window."""
    where = {"site": [site], "component": [component], "metric": [metric]}
    rows = store.scan("samples", Slice(start=start, end=end, where=where), columns=["at", "value"])
    if rows.num_rows == 0:
        return None
    known = CATALOGUE.get(metric)
    if rows.num_rows > RAW_POINTS:
        grouped = _bucketed(rows, "at", bucket_width(start, end)).group_by("bucket")
        rows = grouped.aggregate([("at", "min"), ("value", "mean")]).sort_by("bucket")
        rows = pa.table({"at": rows["at_min"], "value": rows["value_mean"]})
    points = [(aware(row["at"]), row["value"]) for row in rows.to_pylist()]
    unit, meaning = (known.unit, known.meaning) if known else (None, metric)
    return Metric(component=component, metric=metric, unit=unit, meaning=meaning, points=points)


def bucket_width(start: datetime, end: datetime) -> timedelta:
    """Give the width that cuts the window into 240 buckets, in whole seconds."""
    return timedelta(seconds=max(1.0, round((end - start).total_seconds() / 240)))


def _by_hour(rows: pa.Table, start: datetime, end: datetime) -> Around:
    found: dict[Population, list[Point]] = defaultdict(list)
    for row in rows.to_pylist():
        population = Population(link=Link(row["link"]), presentation=Presentation(row["presentation"]))
        middle = aware(row["hour"]) + timedelta(minutes=30)
        if row["measured"]:
            found[population].append(Point(at=middle, seconds=row["q50"], outcome="ok", runs=row["measured"]))
        for outcome, count in (("timeout", row["timeouts"]), ("failed", row["failures"])):
            if count:
                found[population].append(Point(at=middle, seconds=None, outcome=outcome, runs=count))
    ordered = {population: found[population] for population in sorted(found, key=by_path)}
    return Around(start=start, end=end, bucketed=True, durations=ordered, stacks=())


def by_path(population: Population) -> tuple[int, int]:
    """Order accesses the way the model lists them: local ones first, cable before WiFi."""
    return list(Presentation).index(population.presentation), list(Link).index(population.link)


def _populations(rows: pa.Table) -> set[Population]:
    pairs = rows.group_by(["link", "presentation"]).aggregate([]).to_pylist()
    return {Population(link=Link(p["link"]), presentation=Presentation(p["presentation"])) for p in pairs}


def _of(rows: pa.Table, key: Population) -> pa.ChunkedArray:
    link, shown = pc.equal(rows["link"], str(key.link)), pc.equal(rows["presentation"], str(key.presentation))
    return pc.and_(link, shown)


def _point(row: Mapping[str, object]) -> Point:
    seconds, at = row["seconds"], row["slot"]
    assert isinstance(at, datetime)
    return Point(
        at=aware(at),
        seconds=float(seconds) if isinstance(seconds, float) else None,
        outcome="timeout" if row["censored"] else str(row["outcome"]),
        run_id=str(row["run_id"]),
    )


def _bucketed(rows: pa.Table, column: str, width: timedelta) -> pa.Table:
    micros = pc.cast(rows[column], pa.int64())
    return rows.append_column("bucket", pc.divide(micros, int(width.total_seconds() * 1_000_000)))


def _medians(rows: pa.Table, width: timedelta) -> list[Point]:
    kind = pc.if_else(pc.is_in(rows["outcome"], pa.array(["ok", "slow"])), "ok", rows["outcome"])
    table = _bucketed(rows, "slot", width).append_column("kind", kind)
    grouped = table.group_by(["bucket", "kind"]).aggregate(
        [("seconds", "approximate_median"), ("seconds", "max"), ("kind", "count")]
    )
    points = []
    for row in grouped.sort_by("bucket").to_pylist():
        value = row["seconds_max"] if row["kind"] == "timeout" else row["seconds_approximate_median"]
        at = datetime.fromtimestamp((row["bucket"] + 0.5) * width.total_seconds(), tz=UTC)
        points.append(Point(at=at, seconds=value, outcome=row["kind"], runs=row["kind_count"]))
    return points


def _stacks(rows: pa.Table, width: timedelta) -> list[Stack]:
    """Average the parts of measured runs per bucket: means add up, medians do not."""
    buckets: dict[int, list[Mapping[str, object]]] = defaultdict(list)
    measured = rows.filter(pc.is_in(rows["outcome"], pa.array(["ok", "slow"]))) if rows.num_rows else rows
    wide = max(width * 4, _interval(measured) * 2)  # a bucket without a run would look like a gap
    for row in _bucketed(measured, "slot", wide).to_pylist() if measured.num_rows else ():
        buckets[row["bucket"]].append(row)
    stacks = []
    for bucket, members in sorted(buckets.items()):
        total: dict[str, float] = defaultdict(float)
        for member in members:
            for part, seconds in parts(member).items():
                total[part] += seconds
        at = datetime.fromtimestamp(bucket * wide.total_seconds(), tz=UTC)
        means = {part: seconds / len(members) for part, seconds in total.items()}
        stacks.append(Stack(at=at, until=at + wide, parts=means, runs=len(members)))
    return stacks


def _interval(rows: pa.Table) -> timedelta:
    """Give the mean time between the slots of ``rows``; nothing for fewer than two slots."""
    slots = pc.count_distinct(rows["slot"]).as_py()
    if slots < 2:
        return timedelta(0)
    span: timedelta = pc.max(rows["slot"]).as_py() - pc.min(rows["slot"]).as_py()
    return timedelta(seconds=round(span.total_seconds() / (slots - 1)))


def parts(step: Mapping[str, object]) -> dict[str, float]:
    """Cut one step's seconds into parts that do not overlap.

    The server's own account lies inside ``processing``: what it leaves of that keeps the name, and
    what no phase covers is "rest". A phase that did not happen is absent.
    """
    cut = {str(phase): float(value) for phase in Phase if isinstance(value := step.get(str(phase)), float)}
    inside = sum(cut.get(str(phase), 0.0) for phase in SERVER)
    if str(Phase.PROCESSING) in cut:
        cut[str(Phase.PROCESSING)] = max(0.0, cut[str(Phase.PROCESSING)] - inside)
    seconds = step.get("seconds")
    rest = (seconds - sum(cut.values())) if isinstance(seconds, float) else 0.0
    if rest > 0.0005:
        cut["rest"] = rest
    return cut
