"""What was measured at the edges of the application: the picture of remote sessions, printers, external links."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.access import Link, Population, Presentation
from collector.model.run import MEASURED, Phase
from collector.store import Slice, Store
from dashboards.clock import aware
from dashboards.facts.around import by_path
from dashboards.facts.recent import Walked

# What a driver alone can measure, and nothing else tells.
PART: Mapping[str, Phase] = {"remote": Phase.DISPLAY, "print": Phase.SPOOL, "link": Phase.SERVER_EXTERNAL}
_KEYS = ("site", "journey", "environment", "link", "presentation")
_STEP = ("slot", "run_id", *_KEYS, "step", "position", "outcome", "seconds", "error_kind", *map(str, PART.values()))
_GOOD = pa.array([str(outcome) for outcome in MEASURED])
_QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Seconds of measured runs: the median, and what 10 % and 90 % of them stay below."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One step at an edge as one access walks it, in a period.

    ``runs`` includes those that were not ``good``; of these ``kinds`` counts why. ``part`` is of the phase only this
    driver measures, ``whole`` of the step; None when no run measured it. ``facts`` are what was seen last on the way
    ("printer", "certificate_left"), without the step's name. ``warning`` is what the newest run told though good.
    """

    walked: Walked
    step: str
    runs: int
    good: int
    part: Spread | None
    whole: Spread | None
    kinds: Mapping[str, int]
    facts: Mapping[str, str]
    warning: str | None
    last: datetime
    last_run: str


def read(store: Store, start: datetime, end: datetime) -> Mapping[str, Sequence[Edge]]:
    """List the edges by driver. Runs whose access changed on the way are left out, as in every average."""
    where = {"driver": list(PART), "mixed": ["false"]}
    columns = ["slot", "run_id", *_KEYS, "driver", "facts"]
    runs = store.scan("runs", Slice(start=start, end=end, where=where), columns=columns)
    if runs.num_rows == 0:
        return dict.fromkeys(PART, ())
    asked = Slice(start=start, end=end, where={"journey": sorted(set(runs["journey"].to_pylist()))})
    steps = store.scan("steps", asked, columns=list(_STEP))
    return {driver: sorted(_of_driver(driver, runs, steps), key=_place) for driver in PART}


def _place(edge: Edge) -> tuple[str, str, str, tuple[int, int], str]:
    walked = edge.walked
    return walked.site, walked.journey, walked.environment, by_path(walked.population), edge.step


def _of_driver(driver: str, runs: pa.Table, steps: pa.Table) -> Iterator[Edge]:
    runs = runs.filter(pc.equal(runs["driver"], driver))
    steps = steps.filter(pc.is_in(steps["run_id"], runs["run_id"].combine_chunks()))
    for key, walk in _by(steps, _KEYS):
        seen = _facts(_where(runs, key))
        for (step,), rows in _by(walk, ("step",)):
            if step in _steps(walk, driver):
                yield _edge((key, step), rows, PART[driver], seen)


def _steps(walk: pa.Table, driver: str) -> set[str]:
    """Name the steps at the edge: a journey may sign in first. When no run got there, the last one reached stands."""
    reached = walk if driver == "link" else walk.filter(pc.is_valid(walk[str(PART[driver])]))
    if reached.num_rows:
        return set(reached["step"].to_pylist())
    return {walk.sort_by([("position", "descending")])["step"][0].as_py()}


def _edge(of: tuple[Sequence[str], str], rows: pa.Table, phase: Phase, seen: Mapping[str, str]) -> Edge:
    (site, journey, environment, link, presentation), step = of
    good = rows.filter(pc.is_in(rows["outcome"], _GOOD))
    bad = rows.filter(pc.invert(pc.is_in(rows["outcome"], _GOOD)))
    newest = rows.slice(rows.num_rows - 1).to_pylist()[0]
    population = Population(link=Link(link), presentation=Presentation(presentation))
    return Edge(
        walked=Walked(site=site, journey=journey, environment=environment, population=population),
        step=step,
        runs=rows.num_rows,
        good=good.num_rows,
        part=_spread(good[str(phase)]),
        whole=_spread(good["seconds"]),
        kinds=dict(Counter(pc.coalesce(bad["error_kind"], bad["outcome"]).to_pylist()).most_common()),
        facts={name.removeprefix(f"{step}."): value for name, value in seen.items()},
        warning=newest["error_kind"] if newest["outcome"] in _GOOD.to_pylist() else None,
        last=aware(newest["slot"]),
        last_run=newest["run_id"],
    )


def _spread(values: pa.ChunkedArray) -> Spread | None:
    low, median, high = pc.quantile(values, q=list(_QUANTILES)).to_pylist()
    return None if median is None else Spread(low=low, median=median, high=high)


def _facts(runs: pa.Table) -> Mapping[str, str]:
    """Give each fact as the newest run that saw it has it: a run that failed early saw few."""
    seen: dict[str, str] = {}
    for text in runs["facts"].to_pylist():
        seen |= json.loads(text) if text else {}
    return seen


def _by(rows: pa.Table, names: Sequence[str]) -> Iterator[tuple[Sequence[str], pa.Table]]:
    for found in rows.group_by(list(names)).aggregate([]).to_pylist():
        key = tuple(str(found[name]) for name in names)
        yield key, _where(rows, key, names)


def _where(rows: pa.Table, key: Sequence[str], names: Sequence[str] = _KEYS) -> pa.Table:
    kept = pa.array([True] * rows.num_rows)
    for name, value in zip(names, key, strict=True):
        kept = pc.and_(kept, pc.equal(rows[name], value))
    return rows.filter(kept)
