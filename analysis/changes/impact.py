"""What a change did to a step: by how much it became faster, slower or steadier, and how sure that is.

Mathematics. Days are compared, not runs: runs of one day share its fate, and thousands of them are no more evidence of
the next day than one is. ``days`` makes one number of each day (the median, the duration that one run in ten
exceeds, or the distance of the quartiles), like for like by hour; ``step`` finds the step in their logarithms,
with days of the week, drift and the likeness of neighbouring days in the model. With a comparison group (an access,
site or journey that the change did not touch) the step is sought in the difference of the two: what both share is
gone. With less than a week on either side and no comparison, ``two_days`` answers for the level, or nobody.

Limits. Everything that began on the day of the change counts as its effect. A comparison group that the change did
touch hides the effect. A change that takes weeks to work is a step of its average, and too small. Timeouts enter with
their limit where a day's measure lies among them: the effect is then a bound, and says of which side.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import TypedDict

import numpy as np

from analysis.changes import two_days
from analysis.changes.days import DAY, Bools, Days, Measure, Runs, by_day
from analysis.changes.step import Mixture, Step, foreseen, step
from analysis.statistics import bounded
from collector.model.verdict import Interval

LEAST_DAYS = 7  # on either side
MATTERS = 0.1  # a share of the duration: what "no difference" has to exclude
POWER = 0.8  # how often the smallest effect that could be seen would be seen
LONGEST = 182  # days on either side; what lies further away says little of the step
AHEAD = (7, 14, 21, 28, 42, 56, 84, 112, 182)  # days a side, when asked how many it would take


class Answer(StrEnum):
    """What can be said."""

    IMPROVED = "improved"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"  # and the smallest that could have been seen is small enough to matter to nobody
    NOT_ENOUGH = "not_enough_evidence"


class Bound(StrEnum):
    """What the estimate is, where days were measured among timeouts."""

    NONE = "none"
    AT_LEAST = "at_least"  # days after are lower bounds: it became slower by more
    AT_MOST = "at_most"  # days before are: it became faster by more, or slower by less
    BOTH = "both"  # nothing can be said


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The effect on one measure.

    ``ratio`` is after over before, ``seconds`` the same in seconds of the measure; None where there is nothing to say.
    ``smallest``: the least change, as a share, that would have been seen in POWER of all cases. ``days``: how many on
    each side. ``days_needed``: how many on each side to see a change of MATTERS; None if not even half a year will do,
    or nobody knows. ``compared``: against a group that the change did not touch. ``short``: from two days only.
    """

    measure: Measure
    answer: Answer
    days: tuple[int, int]
    ratio: Interval | None = None
    seconds: Interval | None = None
    smallest: float | None = None
    days_needed: int | None = None
    bound: Bound = Bound.NONE
    compared: bool = False
    short: bool = False


class _Told(TypedDict):
    answer: Answer
    ratio: Interval
    seconds: Interval
    smallest: float


def impact(
    runs: Runs,
    *,
    start: float,
    end: float | None = None,
    measure: Measure = Measure.LEVEL,
    others: Runs | None = None,
    level: float = 0.95,
) -> Effect:
    """Say what the change between ``start`` and ``end`` (at once, if left out) did to ``runs``.

    Times are on the clock of the runs. Days that the change touches count on neither side, unless it was at midnight.
    ``others`` are runs of a group that it did not touch, on the same clock.
    """
    first, last = math.floor(start / DAY), math.ceil((start if end is None else end) / DAY)
    days = _near(by_day(runs, measure), first, last)
    usual = float(np.exp(np.median(days.logs[days.days < first]))) if np.any(days.days < first) else math.nan
    if others is not None:
        days = days.against(by_day(others, measure))
    after = days.days >= last
    count = (int(np.count_nonzero(~after)), int(np.count_nonzero(after)))
    bound = _bound(days, after)
    if min(count) >= LEAST_DAYS and bound is not Bound.BOTH:
        found = step(days.days, days.logs, after)
        return Effect(
            measure=measure,
            days=count,
            days_needed=_needed(found, count, level),
            bound=bound,
            compared=others is not None,
            **_told(found.mixture, usual, level),
        )
    if others is None and measure is Measure.LEVEL and bound is Bound.NONE:
        return _short(runs, (start, start if end is None else end), count, level)
    return _silent(measure, count, bound, compared=others is not None)


def shift(before: Runs, after: Runs, change: float, level: float = 0.95) -> Interval | None:
    """Give the shift of the level in seconds, from two days before ``change`` and one or more after; None from less."""
    found = two_days.shift(before, after, change)
    if found is None:
        return None
    mixture, rounding = found
    tail = (1 - level) / 2
    low, high = mixture.quantile(tail) - rounding, mixture.quantile(1 - tail) + rounding
    return Interval(estimate=mixture.centre, low=low, high=high, level=level)


def _near(days: Days, first: int, last: int) -> Days:
    """Leave out the days that the change touches, and those far from it."""
    before = (days.days < first) & (days.days >= first - LONGEST)
    return days.of(before | ((days.days >= last) & (days.days < last + LONGEST)))


def _bound(days: Days, after: Bools) -> Bound:
    """Say of which side days are lower bounds; a few of many do not move the step much, and are not mentioned."""
    many = [float(np.mean(days.bounds[side])) > MATTERS if np.any(side) else False for side in (~after, after)]
    return {(False, False): Bound.NONE, (False, True): Bound.AT_LEAST, (True, False): Bound.AT_MOST}.get(
        (many[0], many[1]), Bound.BOTH
    )


def _told(mixture: Mixture, usual: float, level: float) -> _Told:
    """Put the step of logarithms into a ratio and seconds, and into an answer."""
    tail = (1 - level) / 2
    low, centre, high = (mixture.quantile(share) for share in (tail, 0.5, 1 - tail))
    smallest = _seen((high - low) / 2, level)
    ratio = [math.exp(min(part, 50.0)) for part in (centre, low, high)]
    return _Told(
        answer=_answer(low, high, smallest),
        ratio=bounded(ratio[0], ratio[1], ratio[2], level),
        seconds=bounded(usual * (ratio[0] - 1), usual * (ratio[1] - 1), usual * (ratio[2] - 1), level),
        smallest=smallest,
    )


def _needed(found: Step, count: tuple[int, int], level: float) -> int | None:
    """Give on how many days a side a change that matters would be seen: as the likeliest noise averages out."""
    now = (found.mixture.quantile((1 + level) / 2) - found.mixture.quantile((1 - level) / 2)) / 2
    now /= foreseen(found.noise, max(2, sum(count) // 2), level)
    return next((ahead for ahead in AHEAD if _seen(now * foreseen(found.noise, ahead, level), level) <= MATTERS), None)


def _answer(low: float, high: float, smallest: float) -> Answer:
    if high < 0:
        return Answer.IMPROVED
    if low > 0:
        return Answer.WORSE
    return Answer.NO_DIFFERENCE if smallest <= MATTERS else Answer.NOT_ENOUGH


def _seen(half: float, level: float) -> float:
    """Give the smallest share seen in POWER of all cases by an interval that reaches ``half`` of a logarithm far."""
    normal = NormalDist()
    return math.expm1(min(50.0, half * (1 + normal.inv_cdf(POWER) / normal.inv_cdf((1 + level) / 2))))


def _short(runs: Runs, change: tuple[float, float], count: tuple[int, int], level: float) -> Effect:
    """Answer from two days, for a change at one moment."""
    start, end = change
    before, after = runs.of(runs.at < start), runs.of(runs.at >= end)
    late = bool(np.mean(runs.at_least) >= 0.5) if len(runs.at) else True
    found = shift(before, after, start, level) if start == end and not late else None
    if found is None:
        return _silent(Measure.LEVEL, count, Bound.NONE, compared=False)
    usual = float(np.median(before.seconds))
    smallest = (found.high - found.low) / 2 * (_seen(1e-6, level) / 1e-6) / usual
    ratio = bounded(1 + found.estimate / usual, 1 + found.low / usual, 1 + found.high / usual, level)
    return Effect(
        measure=Measure.LEVEL,
        answer=_answer(found.low, found.high, smallest),
        ratio=ratio,
        seconds=found,
        smallest=smallest,
        days=count,
        short=True,
    )


def _silent(measure: Measure, count: tuple[int, int], bound: Bound, *, compared: bool) -> Effect:
    """Say that there is not enough to say anything."""
    return Effect(measure=measure, answer=Answer.NOT_ENOUGH, days=count, bound=bound, compared=compared)
