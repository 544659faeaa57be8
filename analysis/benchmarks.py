"""Adapters of public benchmarks: each translates a case for the engine's own functions, knowing nothing of its data."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from analysis import dependency
from analysis import locate as population
from analysis.changes.change_points import change_points
from analysis.changes.days import DAY, Runs
from analysis.changes.impact import shift
from analysis.statistics import Floats

# --- causes over a graph, populations -----------------------------------------------------------------------------


class Frame(Protocol):
    """Telemetry of one period: a column per (node, metric, statistic)."""

    @property
    def cols(self) -> Mapping[tuple[str, str, str], Floats]: ...  # noqa: D102


class Incident(Protocol):
    """A call of one node that is slow or fails: ``metric`` latency (seconds) or availability (percent)."""

    target: str
    metric: str
    statistic: str
    nodes: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    normal: Frame
    incident: Frame


def rank(case: Incident) -> list[str]:
    """Name the components behind the call, likeliest first; nothing when none is to be named."""
    places = {node: place for place, node in enumerate(case.nodes)}
    calls = np.array([(places[caller], places[callee]) for caller, callee in case.calls], dtype=np.intp).reshape(-1, 2)
    normal, during = (_telemetry(case, frame) for frame in (case.normal, case.incident))
    found = dependency.rank(calls, places[case.target], normal, during)
    return [case.nodes[place] for place in found.components] if found.named else []


def _telemetry(case: Incident, frame: Frame) -> dependency.Telemetry:
    length = len(next(iter(frame.cols.values())))
    missing = np.full(length, np.nan)
    requests = [frame.cols.get((node, "requests", "Sum"), missing) for node in case.nodes]
    values = np.array([frame.cols.get((node, case.metric, case.statistic), missing) for node in case.nodes])
    level = 1.0 - values / 100.0 if case.metric == "availability" else values
    return dependency.Telemetry(requests=np.array(requests), level=level)


class Counted(Protocol):
    """Sessions by minute and attribute values: rows of minute (unix), values, bad ones, all; ``at`` is the incident."""

    attributes: tuple[str, ...]
    at: int
    rows: Sequence[tuple[int, tuple[str, ...], float, float]]


def locate(case: Counted) -> list[dict[str, str]]:
    """Give the sets of attribute values that explain most of what went bad at the time, best first."""
    rows = [row for row in case.rows if row[0] <= case.at]
    minutes = sorted({case.at, *(row[0] for row in rows)}, reverse=True)
    words = [sorted({row[1][place] for row in rows}) for place in range(len(case.attributes))]
    numbers = [{word: number for number, word in enumerate(known)} for known in words]
    before = {minute: place for place, minute in enumerate(minutes)}
    runs = population.Runs(
        values=np.array([[known[word] for known, word in zip(numbers, row[1], strict=True)] for row in rows]),
        before=np.array([before[row[0]] for row in rows]),
        bad=np.array([row[2] for row in rows]),
        runs=np.array([row[3] for row in rows]),
    )
    return [{case.attributes[a]: words[a][value] for a, value in one.where} for one in population.locate(runs)]


# --- changes -------------------------------------------------------------------------------------------------------

SAMPLES_A_DAY = 288  # arrays of samples come without times: every five minutes, as monitoring systems keep them


def impact(pre: Floats, post: Floats) -> tuple[float, float, float]:
    """Give the shift of ``post`` (m,) against ``pre`` (n,) in their unit, with its 95 % interval.

    Both are samples of every five minutes, one after the other. With less than two days before and one after there is
    not enough history: the interval is infinite.
    """
    at = np.arange(float(len(pre) + len(post))) * (DAY / SAMPLES_A_DAY)
    samples = Runs(at=at, seconds=np.concatenate([pre, post]), at_least=np.zeros(len(at), dtype=bool))
    change = len(pre) * (DAY / SAMPLES_A_DAY)
    found = shift(samples.of(at < change), samples.of(at >= change), change)
    if found is None:
        return float(np.median(post) - np.median(pre)), -math.inf, math.inf
    return found.estimate, found.low, found.high


def detect(y: Floats) -> list[int]:
    """Give the first places of new segments of ``y``, (n,) or (n, columns), gaps as NaN."""
    return change_points(y)
