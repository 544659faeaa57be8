"""The charts of the pages: which facts become which marks, tables and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.model.run import Outcome, Phase
from collector.model.verdict import Interval
from dashboards import quantity
from dashboards.facts.around import PROBE, SERVER, Metric, Point, Stack
from dashboards.facts.recent import BUCKETS, Line
from dashboards.web.charts import PLOT, TOP, Chart, Frame, Mark, Scale, Table, Tick, polyline, scale, stacked
from dashboards.wording import OUTCOME, PHASE

_SHAPE = {"ok": "dot", "slow": "over", "timeout": "limit", "not_ready": "void", "broken": "void"}
_NOT_THE_SERVICE = frozenset({"not_ready", "broken"})
_ORDER: Sequence[str] = (
    *(str(phase) for phase in PROBE[:3]),
    *(str(phase) for phase in SERVER),
    *(str(phase) for phase in PROBE[3:]),
    "rest",
)
SPARK_HEIGHT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A small line beside a number: a path in a box of BUCKETS x SPARK_HEIGHT, and where limits were reached."""

    path: str
    limits: Sequence[int]
    band: tuple[float, float] | None


def phase_words(part: str) -> str:
    """Name a part of a step; "rest" is what no phase covers."""
    return "not in any phase" if part == "rest" else PHASE[Phase(part)]


def durations(
    name: tuple[str, str, str],
    points: Sequence[Point],
    frame: Frame,
    *,
    axis: tuple[Scale, Sequence[float]],
    expected: Interval | None = None,
) -> Chart:
    """Draw one access's durations over time, with the expected band and the episode.

    ``name`` is (key, title, address of the CSV).
    """
    key, title, csv = name
    ruler, labels = axis
    marks = [_mark(point, frame, ruler) for point in points]
    return Chart(
        key=key,
        title=title,
        summary=_summary(points, expected),
        unit="s",
        table=_duration_table(points, csv),
        y_ticks=_value_ticks(ruler, labels, "s"),
        x_ticks=frame.x_ticks,
        marks=marks,
        episode=frame.marked(),
        band=ruler.band(expected) if expected else None,
        explore=_explore(points, frame, ruler.top, expected),
    )


def duration_axis(groups: Sequence[Sequence[Point]], expected: Interval | None) -> tuple[Scale, Sequence[float]]:
    """Choose one vertical axis for several accesses, so that they can be compared by eye."""
    values = [point.seconds for group in groups for point in group if point.seconds is not None]
    return scale([*values, *([expected.high] if expected else [])])


def phases(key: str, title: str, stacks: Sequence[Stack], frame: Frame, *, csv: str | None = None) -> Chart | None:
    """Draw the mean parts of the step over time as a stack; None when no phase was measured."""
    present = [part for part in _ORDER if any(part in stack.parts for stack in stacks)]
    if not stacks or present in ([], ["rest"]):
        return None
    ruler, labels = scale([sum(stack.parts.values()) for stack in stacks])
    columns = [(frame.x(stack.at), frame.x(stack.until), _edges(stack, present, ruler)) for stack in stacks]
    names = [(part, phase_words(part)) for part in present]
    largest = max(present, key=lambda part: sum(stack.parts.get(part, 0.0) for stack in stacks))
    rows = [
        (stack.at, [str(stack.runs), *(_seconds_or_absent(stack.parts.get(part)) for part in present)])
        for stack in stacks
    ]
    return Chart(
        key=key,
        title=title,
        summary="Mean seconds of each part of the step over time, of runs that finished: those that failed or reached "
        f"the time limit are not in it. The largest part overall: {phase_words(largest)}.",
        unit="s",
        table=Table(head=("Time", "Runs", *(words for _, words in names)), rows=rows, csv=csv),
        y_ticks=_value_ticks(ruler, labels, "s"),
        x_ticks=frame.x_ticks,
        areas=stacked(names, columns),
        episode=frame.marked(),
    )


def metric(key: str, found: Metric, frame: Frame, *, csv: str | None = None) -> Chart:
    """Draw one infrastructure metric over the same time as the steps."""
    values = [value for _, value in found.points]
    ruler, labels = scale(values)
    low, high = quantity.with_unit(min(values), found.unit), quantity.with_unit(max(values), found.unit)
    return Chart(
        key=key,
        title=f"{found.component}: {found.meaning}",
        summary=f"{found.metric} of {found.component}: {len(values)} samples between {low} and {high}.",
        unit=found.unit,
        table=Table(
            head=("Time", found.metric),
            rows=[(at, [quantity.with_unit(value, found.unit)]) for at, value in found.points],
            csv=csv,
        ),
        y_ticks=_value_ticks(ruler, labels, found.unit),
        x_ticks=frame.x_ticks,
        line=polyline((frame.x(at), ruler.y(value)) for at, value in found.points),
        marks=[] if len(values) > 1 else [_single(found, frame, ruler)],
        episode=frame.marked(),
        explore=frame.explore(ruler.top, [at for at, _ in found.points], values),
    )


def spark(line: Line, expected: Interval | None) -> Spark:
    """Draw one step's recent medians small, the expected band behind them."""
    values = [value for _, value in line.points] + ([expected.high] if expected else [])
    top = max(values, default=1.0) * 1.08 or 1.0
    steps = [f"{bucket + 0.5:.1f} {SPARK_HEIGHT * (1 - value / top):.1f}" for bucket, value in line.points]
    path = "M" + "L".join(steps) if steps else ""
    if len(steps) == 1:
        path += "h0.9"
    band = None
    if expected is not None:
        high, low = SPARK_HEIGHT * (1 - expected.high / top), SPARK_HEIGHT * (1 - expected.low / top)
        band = (round(high, 1), round(max(1.0, low - high), 1))
    return Spark(path=path, limits=sorted(bucket for bucket in line.limits if 0 <= bucket < BUCKETS), band=band)


def _explore(points: Sequence[Point], frame: Frame, top: float, expected: Interval | None) -> Mapping[str, object]:
    timed = sorted((point for point in points if point.seconds is not None), key=lambda point: point.at)
    found = frame.explore(
        top,
        [point.at for point in timed],
        [None if point.outcome == "timeout" else point.seconds for point in timed],
        [point.seconds if point.outcome == "timeout" else None for point in timed],
    )
    if expected is not None:
        found["band"] = [expected.low, expected.high]
    return found if timed else {}


def _mark(point: Point, frame: Frame, ruler: Scale) -> Mark:
    at = frame.clock.exact(point.at)
    words = OUTCOME[Outcome(point.outcome)]
    count = f", median of {point.runs} runs" if point.runs > 1 else ""
    if point.seconds is None:
        shape = "void" if point.outcome in _NOT_THE_SERVICE else "bad"
        return Mark(x=frame.x(point.at), y=TOP + PLOT - 5, shape=shape, tip=f"{at}: {words}{count}")
    value = quantity.seconds(point.seconds)
    tip = f"{at}: {'at least ' if point.outcome == 'timeout' else ''}{value}, {words}{count}"
    return Mark(x=frame.x(point.at), y=ruler.y(point.seconds), shape=_SHAPE.get(point.outcome, "bad"), tip=tip)


def _single(found: Metric, frame: Frame, ruler: Scale) -> Mark:
    at, value = found.points[0]
    return Mark(x=frame.x(at), y=ruler.y(value), shape="dot", tip=quantity.with_unit(value, found.unit))


def _edges(stack: Stack, present: Sequence[str], ruler: Scale) -> list[float]:
    edges, total = [], 0.0
    for part in present:
        total += stack.parts.get(part, 0.0)
        edges.append(ruler.y(total))
    return edges


def _summary(points: Sequence[Point], expected: Interval | None) -> str:
    if not points:
        return "No run in this window."
    values = [point.seconds for point in points if point.outcome in {"ok", "slow"} and point.seconds is not None]
    runs: Mapping[str, int] = {
        "limit": sum(point.runs for point in points if point.outcome == "timeout"),
        "bad": sum(point.runs for point in points if point.outcome in {"failed", "dropped"}),
        "void": sum(point.runs for point in points if point.outcome in _NOT_THE_SERVICE),
    }
    said = [f"{sum(point.runs for point in points)} runs"]
    if values:
        said.append(f"measured {quantity.seconds_range(min(values), max(values))}")
    if runs["limit"]:
        said.append(f"{runs['limit']} reached the time limit (drawn as arrows: at least this long)")
    if runs["bad"]:
        said.append(f"{runs['bad']} failed")
    if runs["void"]:
        said.append(f"{runs['void']} said nothing of the service: not ready, or the probe was broken")
    if expected:
        said.append(f"expected {quantity.seconds_range(expected.low, expected.high)}")
    return "; ".join(said) + "."


def _duration_table(points: Sequence[Point], csv: str | None) -> Table:
    rows = []
    for point in points:
        value = "not timed" if point.seconds is None else quantity.seconds(point.seconds)
        if point.outcome == "timeout":
            value = f"≥ {value}"
        rows.append((point.at, [value, OUTCOME[Outcome(point.outcome)], str(point.runs)]))
    return Table(head=("Time", "Duration", "Outcome", "Runs"), rows=rows, csv=csv)


def _value_ticks(ruler: Scale, labels: Sequence[float], unit: str | None) -> list[Tick]:
    return [Tick(at=ruler.y(value), label=quantity.with_unit(value, unit) if value else "0") for value in labels]


def _seconds_or_absent(value: float | None) -> str:
    return "absent" if value is None else quantity.seconds(value)
