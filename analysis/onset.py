"""Did a metric move when the step slowed, before, or clearly after?

Mathematics. A run or a sample is *over* when it lies beyond the middle between its medians in the quiet time and in the
episode; the change is where most before it are not over and most after it are. The step changed between the slot of the
last run before it and one run interval after that of the first one after it. A metric was quiet until the last sample
before two of three lay beyond the quiet 95 %; less one sampling interval, what its own memory keeps back (of quiet
samples with a lag-one correlation r, -1 / ln r intervals) and what clocks are known to be off, that is the earliest it
can have moved. It moved after the step when even that lies behind the latest time of the step, with at least 3 quiet
samples and 3 runs between, of which two thirds are over, and no more of these samples beyond the quiet 95 % than chance
puts there in one of ten cases.

Limits. A metric that is a mean over minutes answers late, and only its memory in quiet time tells. Where the step had
slowed for less than the two intervals, nothing is said.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.series import Bools
from analysis.statistics import Floats, at_least

BETWEEN = 3  # samples, and runs, between the step's change and the metric's
SUSTAINED = 2 / 3  # of these runs are slow
BEYOND_EDGE = 0.05  # of quiet samples
CHANCE = 0.1
MEMORY = 0.3  # a smaller lag-one correlation of quiet samples is none
RUNS_BEFORE, RUNS_AFTER = 10, 30


class When(StrEnum):
    """When a metric moved, as the step sees it."""

    BEFORE = "before"
    WITH = "with"
    AFTER = "after"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Values in time order, larger is worse; ``at`` in seconds since the episode's start, ``interval`` in seconds.

    ``quiet`` and ``during`` are the medians, ``edge`` the quiet 95 %.
    """

    at: Floats
    values: Floats
    quiet: float
    during: float
    edge: float
    interval: float

    @property
    def over(self) -> Bools:
        """Say which values lie beyond the middle between quiet and during."""
        return np.asarray(self.values > (self.quiet + self.during) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Seconds from the step's change to the metric's, with its uncertainty; ``gap`` is the quiet that is sure."""

    when: When
    seconds: float = 0.0
    uncertainty: float = 0.0
    gap: float = 0.0


UNKNOWN = Lag(when=When.UNKNOWN)


def lag(step: Track, metric: Track, skew: float) -> Lag:
    """Hold the metric's change against the step's; ``skew`` is how far clocks may be apart, in seconds."""
    began = _began(step)
    if began is None or len(metric.at) <= BETWEEN:
        return UNKNOWN
    first, last = began
    place = _change(metric.over)
    if not 0 < place < len(metric.at):
        return UNKNOWN
    margin = metric.interval * (1 + _memory(metric)) + skew
    seconds = float(metric.at[place] + metric.at[place - 1] - first - last) / 2
    uncertainty = (last - first) / 2 + margin
    gap = _quiet_until(metric, first) - margin - last
    if gap > 0 and _sure(step, metric, last, last + gap + margin):
        return Lag(when=When.AFTER, seconds=max(seconds, gap), uncertainty=uncertainty, gap=gap)
    if abs(seconds) <= uncertainty:
        return Lag(when=When.WITH, seconds=seconds, uncertainty=uncertainty)
    when = When.BEFORE if seconds < 0 else When.UNKNOWN
    return Lag(when=when, seconds=seconds, uncertainty=uncertainty)


def _began(step: Track) -> tuple[float, float] | None:
    """Give the earliest and the latest time at which the step changed, None where its runs do not say."""
    near = (step.at >= -RUNS_BEFORE * step.interval) & (step.at <= RUNS_AFTER * step.interval)
    at, over = step.at[near], step.over[near]
    place = len(over) - _change(~over[::-1])  # of equally good places the last
    return (float(at[place - 1]), float(at[place]) + step.interval) if 0 < place < len(at) else None


def _change(over: Bools) -> int:
    """Give the first row of those after the change: the fewest are over before it, or not over from it on."""
    before = np.concatenate([[0], np.cumsum(over)])
    after = np.concatenate([[0], np.cumsum(~over)])
    return int(np.argmin(before + after[-1] - after))


def _quiet_until(metric: Track, since: float) -> float:
    """Give the time of the last sample before the metric was first seen to have moved, at or after ``since``."""
    high = (metric.values > metric.edge).astype(np.intp)
    lasting = high + np.concatenate([high[1:], [0]]) + np.concatenate([high[2:], [0, 0]]) >= 2
    late = np.flatnonzero(lasting & (high > 0) & (metric.at >= since - BETWEEN * metric.interval))
    if len(late) == 0 or late[0] == 0:
        return -math.inf
    return float(metric.at[late[0] - 1])


def _sure(step: Track, metric: Track, since: float, until: float) -> bool:
    """Say whether enough was seen between the two: the metric quiet, the step slow."""
    between = metric.values[(metric.at > since) & (metric.at <= until)]
    flares = np.count_nonzero(between > metric.edge)
    slow = step.over[(step.at >= since - step.interval) & (step.at <= until)]
    if len(between) < BETWEEN or len(slow) < BETWEEN or slow.mean() < SUSTAINED:
        return False
    return at_least(int(flares), len(between), BEYOND_EDGE) > CHANCE


def _memory(metric: Track) -> float:
    """Give how many intervals quiet samples remember: a mean over minutes answers late."""
    calm = metric.values[metric.at < -metric.interval]
    if len(calm) < 8 or float(np.ptp(calm)) == 0.0:
        return 0.0
    ranks = np.argsort(np.argsort(calm, kind="stable"), kind="stable").astype(float)
    r = float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])
    return -1.0 / math.log(min(r, 0.99)) if r > MEMORY else 0.0
