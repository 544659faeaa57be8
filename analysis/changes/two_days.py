"""What a change did to a level when there are only two days before it, and at least one after.

Mathematics. The effect is the median after minus the median of the two days before. Nothing else happened between
those two days, so they tell how much medians differ by themselves. Each is cut into four parts of six hours. Two whole
days can be put together from them so that each holds two parts of either day: three ways of doing it, not one of which
contains what makes a whole day higher than another, and in none of which the hours of the day matter. Their three
differences n measure the noise, and the difference d of the days as they were measures noise and the movement of days:

    n ~ N(0, v),   d ~ N(0, v (1 + m)),   effect ~ N(truth, v (1 + m) (1/2 + 1/days after) / 2)

One d cannot say what m is. So m is not estimated but integrated out, not quite half of the belief at 0 and the rest
spread over the logarithm up to 10^6; v too. What remains is a mixture of Student's t with four degrees, wide if the
days differ more than their parts, and narrower if not. If the differences of neighbouring hours resemble each other
beyond chance, the parts are not separate pieces of evidence: v grows by (1 + q)/(1 - q). Half the smallest gap
between two values is added, since a median of values that were rounded is rounded.

Limits. Measured with injected shifts on recorded telemetry and on simulated drift: see docs/changes.md. An effect that
started at the very moment of another change, and days of the week, cannot be seen in two days.
"""

import math

import numpy as np

from analysis.changes.days import DAY, HOUR, Runs
from analysis.changes.step import Mixture
from analysis.statistics import Floats

PARTS = 4
BALANCED = ((0, 1, 1, 0), (0, 1, 0, 1), (0, 0, 1, 1))  # which day each part of the first whole day comes from
MOVEMENT = (1.0, *(10.0 ** (half / 2) for half in range(1, 13)))
STILL = 0.46  # how likely it is beforehand that days do not move
BEYOND_CHANCE = 2.5  # standard errors of a correlation
LEAST = 6  # runs in each part, before its median means anything


def shift(before: Runs, after: Runs, change: float) -> tuple[Mixture, float] | None:
    """Give the distribution of the shift of the median in seconds, and what rounding adds on either side.

    ``change`` is when it was, on the clock of the runs. None: not two days before and one after, or parts of them
    with less than LEAST runs.
    """
    days = _whole(after.at - change)
    parts = [_parts(before, change - back * DAY) for back in (2, 1)]
    if days < 1 or min(len(part) for day in parts for part in day) < LEAST:
        return None
    kept = after.seconds[after.at < change + days * DAY]
    joined = np.concatenate([*parts[0], *parts[1]])
    centre = float(np.median(kept) - np.median(joined))
    ways = np.array([_difference(parts, way) for way in BALANCED])
    moved = _difference(parts, (0,) * PARTS)
    scales, weights = _movement(ways, moved, rounding(before.seconds))
    scales = scales * math.sqrt((0.5 + 1 / days) / 2) * _held(before, change)
    mixture = Mixture(weights=weights, centres=np.full(len(scales), centre), scales=scales, freedom=len(BALANCED) + 1)
    return mixture, rounding(before.seconds)


def rounding(seconds: Floats) -> float:
    """Give half the smallest gap between two values, and what floating point cannot tell."""
    values = np.unique(seconds)
    gap = float(np.min(np.diff(values))) / 2 if len(values) > 1 else 0.0
    return gap + 1e-9 * float(np.max(np.abs(values)))


def _whole(since: Floats) -> int:
    """Count the whole days that are there; the last may lack its last hour."""
    return math.floor((float(np.max(since)) + HOUR) / DAY) if len(since) else 0


def _parts(runs: Runs, start: float) -> list[Floats]:
    part = np.floor((runs.at - start) / (DAY / PARTS))
    return [runs.seconds[part == place] for place in range(PARTS)]


def _difference(parts: list[list[Floats]], way: tuple[int, ...]) -> float:
    """Give the median of one whole day minus that of the other, put together in this way."""
    first = np.concatenate([parts[day][place] for place, day in enumerate(way)])
    second = np.concatenate([parts[1 - day][place] for place, day in enumerate(way)])
    return float(np.median(second) - np.median(first))


def _movement(ways: Floats, moved: float, least: float) -> tuple[Floats, Floats]:
    """Give the scale of the difference of two days for every movement, and the weight it has."""
    grown = np.array(MOVEMENT)
    squares = (math.fsum(ways**2) + least**2 + moved**2 / grown) / (len(ways) + 1)
    prior = np.array([STILL] + [(1 - STILL) / (len(grown) - 1)] * (len(grown) - 1))
    weights = prior / np.sqrt(grown) * (squares.min() / squares) ** ((len(ways) + 1) / 2)
    return np.sqrt(squares * grown), weights / weights.sum()


def _held(runs: Runs, change: float) -> float:
    """Give the factor by which standard errors grow because hours resemble their neighbours, by their ranks."""
    hours = [np.floor((runs.at - change + back * DAY) / HOUR) for back in (2, 1)]
    both = [(runs.seconds[hours[0] == hour], runs.seconds[hours[1] == hour]) for hour in range(24)]
    apart = np.array([float(np.median(two) - np.median(one)) for one, two in both if len(one) and len(two)])
    ranks = np.argsort(np.argsort(apart, kind="stable")) - (len(apart) - 1) / 2
    if len(ranks) < 12:
        return 1.0
    held = float(ranks[1:] @ ranks[:-1] / (ranks @ ranks)) - BEYOND_CHANCE / math.sqrt(len(ranks))
    return math.sqrt((1 + held) / (1 - held)) if held > 0 else 1.0
