"""Charts prepared on the server: positions for the SVG template, rows for the table beside it.

Horizontal positions are percentages, vertical ones pixels: text keeps its size on every screen and
nothing needs a style attribute.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.model.verdict import Interval
from dashboards.clock import Clock

TOP, PLOT, FOOT = 14, 150, 22  # pixels above, of and below the plot
WIDE = 1000  # units across the stretched part of a chart
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200)  # minutes between time ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One drawn value: ``shape`` is "dot", "over", "limit" (censored: at least this), "bad" or "void"."""

    x: float
    y: float
    shape: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled position on an axis: per cent across, or pixels down."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A marked part of the plot: per cent across, pixels down."""

    x: float
    width: float
    y: float
    height: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One coloured band of a stack as a path in plot units, with its name for the legend."""

    name: str
    words: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers of a chart: a time and a list of cells per row."""

    head: Sequence[str]
    rows: Sequence[tuple[datetime, Sequence[str]]]
    csv: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything the template needs. ``explore`` feeds the interactive version (see charts.js), empty if none."""

    key: str
    title: str
    summary: str
    unit: str | None
    table: Table
    y_ticks: Sequence[Tick]
    x_ticks: Sequence[Tick]
    marks: Sequence[Mark] = ()
    line: str = ""
    areas: Sequence[Area] = ()
    episode: Span | None = None
    band: Span | None = None
    explore: Mapping[str, object] = field(default_factory=dict)
    top: int = TOP
    plot: int = PLOT
    height: int = TOP + PLOT + FOOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The axes many charts of one page share: the same time, so that they can be read together."""

    start: datetime
    end: datetime
    clock: Clock
    episode: tuple[datetime, datetime] | None = None
    x_ticks: Sequence[Tick] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "x_ticks", _time_ticks(self.start, self.end, self.clock))

    def x(self, at: datetime) -> float:
        """Give the place of an instant, in per cent, kept inside the plot."""
        whole = (self.end - self.start).total_seconds()
        return round(min(100.0, max(0.0, (at - self.start).total_seconds() / whole * 100)), 3)

    def explore(
        self, top: float, times: Sequence[datetime], values: Sequence[float | None], limits: Sequence[float | None] = ()
    ) -> dict[str, object]:
        """Give the numbers of the interactive version: axis top, unix seconds, values and "at least" values."""
        offset = self.clock.local(self.start).utcoffset() or timedelta(0)
        found: dict[str, object] = {
            "top": top,
            "offset": offset.total_seconds(),
            "data": [[round(at.timestamp(), 3) for at in times], list(values), *([list(limits)] if limits else [])],
        }
        if self.episode is not None:
            found["episode"] = [at.timestamp() for at in self.episode]
        return found

    def marked(self) -> Span | None:
        """Give the episode as a span over the whole height."""
        if self.episode is None:
            return None
        left, right = self.x(self.episode[0]), self.x(self.episode[1])
        return Span(x=left, width=round(max(0.4, right - left), 3), y=TOP, height=PLOT, label="episode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The vertical axis from 0 to ``top``, or from ``bottom`` for values that can be negative."""

    top: float
    bottom: float = 0.0

    def y(self, value: float) -> float:
        """Give the place of a value, in pixels from the top of the chart."""
        part = (value - self.bottom) / (self.top - self.bottom)
        return round(TOP + PLOT * (1 - min(1.0, max(0.0, part))), 2)

    def band(self, value: Interval) -> Span:
        """Give an interval as a span over the whole width, at least two pixels high."""
        high, low = self.y(value.high), self.y(value.low)
        return Span(x=0, width=100, y=high, height=max(2.0, round(low - high, 2)), label="expected")


def scale(values: Iterable[float]) -> tuple[Scale, Sequence[float]]:
    """Choose a round axis that holds ``values``; give it with the values to label."""
    known = [value for value in values if math.isfinite(value)]
    high, low = max(known, default=1.0), min(known, default=0.0)
    if high <= 0 and low >= 0:
        high = 1.0
    bottom_in = min(0.0, low)
    high = max(high, 0.0)
    step = _round_step((high - bottom_in) / 3)
    bottom = math.floor(bottom_in / step) * step
    count = max(1, math.ceil((high - bottom) / step - 1e-9))
    return Scale(top=bottom + step * count, bottom=bottom), [bottom + step * index for index in range(count + 1)]


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Write points (per cent, pixels) as a path in the stretched units of the plot."""
    steps = [f"{x * WIDE / 100:.1f} {y - TOP:.1f}" for x, y in points]
    return "M" + "L".join(steps) if len(steps) > 1 else ""


def stacked(
    names: Sequence[tuple[str, str]], columns: Sequence[tuple[float, float, Sequence[float]]]
) -> Sequence[Area]:
    """Write a stack as areas: ``columns`` are (left and right in per cent, top edge in pixels of each name).

    Names come lowest first. Each column is its own block: a gap in the data stays a gap.
    """
    areas = []
    for index, (name, words) in enumerate(names):
        blocks = []
        for left, right, edges in columns:
            floor = edges[index - 1] if index else float(TOP + PLOT)
            x0, x1 = left * WIDE / 100, right * WIDE / 100
            blocks.append(f"M{x0:.1f} {floor - TOP:.1f}V{edges[index] - TOP:.1f}H{x1:.1f}V{floor - TOP:.1f}Z")
        areas.append(Area(name=name, words=words, path="".join(blocks)))
    return areas


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if raw <= factor * power:
            return factor * power
    return 10.0 * power


def _time_ticks(start: datetime, end: datetime, clock: Clock) -> list[Tick]:
    minutes = (end - start).total_seconds() / 60
    step = next((size for size in _STEPS if minutes / size <= 5), _STEPS[-1])
    first = clock.local(start)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    past = (first - midnight).total_seconds() / 60
    at = midnight + timedelta(minutes=math.ceil(past / step) * step)
    ticks = []
    while at <= end:
        x = (at - start).total_seconds() / (end - start).total_seconds() * 100
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        label = f"{at.day} {at:%b}" if step >= 1440 else f"{at:%H:%M}"
        ticks.append(Tick(at=round(x, 3), label=label, anchor=anchor))
        at += timedelta(minutes=step)
    return ticks
