"""The overview: every journey by access now against expected, what is stale, what is open."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from collector.model.access import Population
from collector.model.verdict import Reference, Status, Verdict
from collector.registry import Agent, Scope
from dashboards import quantity, wording
from dashboards.causes import by_cause
from dashboards.facts.around import by_path
from dashboards.facts.recent import LastRun, Line, Walked, last_runs, lines
from dashboards.web.drawing import Spark, spark
from dashboards.web.view import View

CLOSED_DAYS = 7
CLOSED_SHOWN = 10
_SEVERITY = {Status.FAILING: 0, Status.SLOW: 1, Status.NOT_ENOUGH_EVIDENCE: 2, Status.NORMAL: 3}
_REFERENCES = (Reference.EXPECTED, Reference.REFERENCE, Reference.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One access of a journey: when it last ran, and whether that is too long ago.

    ``concluded_after`` is the oldest end of a window that still says something about now.
    """

    population: Population
    name: str
    last: LastRun | None
    stale: str | None
    concluded_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One step for one access. ``state`` is a Status, "stale" or "none" (no conclusion yet)."""

    state: str
    words: str
    now: str
    expected: str
    spark: Spark | None
    spark_words: str
    verdict: Verdict | None
    also: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One journey: its accesses across, its steps down."""

    site: str
    journey: str
    environment: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str, Sequence[Cell]]]


def add(router: APIRouter, view: View) -> None:
    """Add ``/``; ``?part=live`` gives the part that refreshes itself."""

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    def overview(request: Request, part: str = "") -> HTMLResponse:
        now = view.now()
        standing = view.registry.standing()
        known = view.registry.verdicts(now - timedelta(days=CLOSED_DAYS), now + timedelta(hours=1))
        shown = grids(view, now, standing)
        agents = [(agent, _agent_state(agent, now, view.settings.agent_silent_after)) for agent in _active(view)]
        open_verdicts = worst_first([verdict for verdict in [*known, *standing] if verdict.open])
        return view.page(
            request,
            "_live.html" if part == "live" else "overview.html",
            grids=shown,
            sites=len({grid.site for grid in shown}) > 1,
            open=open_verdicts,
            causes=by_cause(open_verdicts),
            closed=closed(known)[:CLOSED_SHOWN],
            stale=[(grid.journey, column) for grid in shown for column in grid.columns if column.stale],
            agents=agents,
            alerts=sum(alert.opened_at is not None for alert in view.registry.alerts()),
            drawn=max((verdict.end for verdict in standing), default=None),
        )


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """List slow and failing verdicts once per step and access: failing first, then by size of the excess."""
    kept: dict[tuple[Walked, str], Verdict] = {}
    for verdict in verdicts:
        key = (_walked(verdict), verdict.step)
        if verdict.status in {Status.SLOW, Status.FAILING} and (key not in kept or _rank(verdict) < _rank(kept[key])):
            kept[key] = verdict
    return sorted(kept.values(), key=lambda verdict: (_SEVERITY[verdict.status], -_size(verdict), verdict.id))


def closed(known: Iterable[Verdict]) -> list[Verdict]:
    """List what has ended once per step, access and time, though it was held against several references."""
    kept: list[Verdict] = []
    for verdict in sorted((one for one in known if not one.open), key=lambda one: _REFERENCES.index(one.against)):
        if not any(_same_time(verdict, other) for other in kept):
            kept.append(verdict)
    return sorted(kept, key=lambda verdict: (verdict.end, verdict.id), reverse=True)


def _same_time(one: Verdict, other: Verdict) -> bool:
    same = (_walked(one), one.step) == (_walked(other), other.step)
    return same and one.start <= other.end and other.start <= one.end


def grids(view: View, now: datetime, standing: Sequence[Verdict]) -> list[Grid]:
    """Arrange what ran lately and what is said of it by journey."""
    lookback = timedelta(minutes=view.settings.recent_minutes)
    ran = last_runs(view.store, now, lookback)
    drawn = lines(view.store, now, lookback)
    said: dict[tuple[Walked, str], list[Verdict]] = defaultdict(list)
    for verdict in standing:
        said[_walked(verdict), verdict.step].append(verdict)
    journeys: dict[tuple[str, str, str], list[Walked]] = defaultdict(list)
    for walked in {*ran, *(key for key, _ in said)}:
        journeys[walked.site, walked.journey, walked.environment].append(walked)
    return [
        _grid(view, now, sorted(walks, key=lambda walk: by_path(walk.population)), (ran, drawn, said))
        for _, walks in sorted(journeys.items())
    ]


def _walked(verdict: Verdict) -> Walked:
    return Walked(
        site=verdict.site, journey=verdict.journey, environment=verdict.environment, population=verdict.population
    )


_Known = tuple[
    Mapping[Walked, LastRun], Mapping[tuple[Walked, str], Line], Mapping[tuple[Walked, str], Sequence[Verdict]]
]


def _grid(view: View, now: datetime, walks: Sequence[Walked], known: _Known) -> Grid:
    ran, drawn, said = known
    columns = [_column(view, walk, ran.get(walk), now) for walk in walks]
    places: dict[str, int] = {}
    for walk, step in [*drawn, *said]:
        if walk in walks:
            line = drawn.get((walk, step))
            places[step] = min(places.get(step, 1000), line.position if line else 1000)
    rows = []
    for step in sorted(places, key=lambda name: (places[name], name)):
        cells = [
            _cell(drawn.get((walk, step)), said.get((walk, step), ()), column)
            for walk, column in zip(walks, columns, strict=True)
        ]
        rows.append((step, cells))
    first = walks[0]
    return Grid(site=first.site, journey=first.journey, environment=first.environment, columns=columns, rows=rows)


def _column(view: View, walk: Walked, last: LastRun | None, now: datetime) -> Column:
    usual = (last.interval_seconds if last else None) or 0.0
    limit = max(view.settings.stale_after_at_least, usual * view.settings.stale_after_intervals)
    patience = max(view.settings.conclusion_stale_after, limit)
    return Column(
        population=walk.population,
        name=wording.access(walk.population),
        last=last,
        stale=_stale(view, last, now, limit),
        concluded_after=now - timedelta(seconds=patience),
    )


def _stale(view: View, last: LastRun | None, now: datetime, limit: float) -> str | None:
    if last is None:
        return f"no run in the last {quantity.span(view.settings.recent_minutes * 60)}"
    age = (now - last.slot).total_seconds()
    if age <= limit:
        return None
    every = f", usually one every {quantity.span(last.interval_seconds)}" if last.interval_seconds else ""
    return f"no run for {quantity.span(age)}{every}"


def _cell(line: Line | None, said: Sequence[Verdict], column: Column) -> Cell:
    verdict = min(said, key=_rank) if said else None
    expectation = next((v.expected for v in sorted(said, key=_rank) if v.expected is not None), None)
    state, words = _state(line, verdict, column)
    drawn = spark(line, expectation) if line and (line.points or line.limits) else None
    return Cell(
        state=state,
        words=words,
        now=_now(line, verdict),
        expected=quantity.seconds_range(expectation.low, expectation.high) if expectation else "",
        spark=drawn,
        spark_words=_line_words(line) if line else "",
        verdict=verdict if verdict and verdict.status in {Status.SLOW, Status.FAILING} else None,
        also=_also(said, verdict),
    )


def _state(line: Line | None, verdict: Verdict | None, column: Column) -> tuple[str, str]:
    if column.stale:
        return "stale", "stale"
    if line is None:
        return "stale", "no run of this step"
    if verdict is None:
        return "none", "no conclusion yet"
    if verdict.end < column.concluded_after:
        return "stale", "stale conclusion"
    return str(verdict.status), wording.STATUS[verdict.status]


def _now(line: Line | None, verdict: Verdict | None) -> str:
    if verdict is not None and verdict.measured is not None:
        return wording.at_least(verdict, "≥ ") + quantity.seconds(verdict.measured.estimate)
    return quantity.seconds(line.points[-1][1]) if line and line.points else ""


def _line_words(line: Line) -> str:
    said = [f"{line.measured} measured"]
    if line.timeouts:
        said.append(f"{line.timeouts} reached the time limit")
    if line.failures:
        said.append(f"{line.failures} failed")
    if line.points:
        values = [seconds for _, seconds in line.points]
        said.append(f"medians {quantity.seconds_range(min(values), max(values))}")
    return ", ".join(said)


def _also(said: Sequence[Verdict], shown: Verdict | None) -> str:
    bad = {Status.SLOW, Status.FAILING}
    others = [v for v in said if shown and v.against != shown.against and v.status in bad]
    return f"also against {' and '.join(wording.REFERENCE[v.against] for v in others)}" if others else ""


def _rank(verdict: Verdict) -> tuple[int, int]:
    return _SEVERITY[verdict.status], _REFERENCES.index(verdict.against)


def _size(verdict: Verdict) -> float:
    part = verdict.excess_rate if verdict.status is Status.FAILING else verdict.excess_seconds
    return part.estimate if part else 0.0


def _active(view: View) -> list[Agent]:
    senders = (agent for agent in view.registry.agents() if agent.scope is Scope.AGENT)
    return [agent for agent in senders if agent.revoked_at is None]


def _agent_state(agent: Agent, now: datetime, silent_after: float) -> str:
    if agent.seen_at is None:
        return "never"
    return "silent" if (now - agent.seen_at).total_seconds() > silent_after else "heard"
