"""The few statistics the analysis stands on: deterministic, robust, numpy and the standard library.

Seeds are fixed, so the same numbers give the same interval; sums use fsum, so the order in which
threads or files deliver rows does not show.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from collector.model.verdict import Interval

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SEED = 20_240_229
RESAMPLES = 400
DIGITS = 6
OUTLIER_SHARE = 0.15  # so many quiet runs may lie above their band without being an episode


def rounded(value: float) -> float:
    """Round to the 6 significant digits that stored numbers have."""
    return float(f"{value:.{DIGITS}g}") + 0.0


def interval(estimate: float, draws: Floats, level: float) -> Interval:
    """Give the percentile interval of bootstrap ``draws`` around ``estimate``."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail]) if len(draws) else (estimate, estimate)
    return bounded(estimate, float(low), float(high), level)


def bounded(estimate: float, low: float, high: float, level: float) -> Interval:
    """Build an interval that holds its estimate, rounded."""
    low, estimate, high = rounded(low), rounded(estimate), rounded(high)
    return Interval(estimate=estimate, low=min(low, estimate), high=max(high, estimate), level=level)


def kept(values: Floats, trimmed: float) -> npt.NDArray[np.intp]:
    """Give the rows that remain when the share ``trimmed`` is cut from each end, in value order."""
    order = np.argsort(values, kind="stable")
    cut = math.floor(len(order) * trimmed)
    return order[cut : len(order) - cut]


def centre(values: Floats, trimmed: float) -> float:
    """Give the trimmed mean; NaN when there is nothing."""
    if len(values) == 0:
        return math.nan
    rows = kept(values, trimmed)
    return math.fsum(values[rows]) / len(rows)


def trimmed_means(rows: Floats, by: Floats, trimmed: float, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Give the mean of the rows left when they are trimmed by ``by``, and RESAMPLES draws of it.

    Resampling what is left would make the mean look surer than it is: the draws resample all rows,
    with the cut ones replaced by the nearest kept one, as the standard error of a trimmed mean does.
    """
    order, count = np.argsort(by, kind="stable"), len(by)
    cut = math.floor(count * trimmed)
    mean = rows[np.sort(order[cut : count - cut])].mean(axis=0)
    edged = rows[order[np.clip(np.arange(count), cut, count - cut - 1)]]
    weights = _picks(count, generator) / count
    spread = count / (count - 2 * cut) * math.sqrt(count / max(1, count - 1))
    return mean, np.asarray(mean + (weights @ edged - edged.mean(axis=0)) * spread)


def _picks(count: int, generator: np.random.Generator) -> Places:
    """Draw RESAMPLES times ``count`` rows with replacement; give how often each row was drawn."""
    drawn = generator.integers(0, count, size=(RESAMPLES, count)) + count * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * count).reshape(RESAMPLES, count)


def trimmed_draws(values: Floats, trimmed: float, level: float) -> Floats:
    """Give RESAMPLES draws of the trimmed mean of ``values``, which must not be empty; each is trimmed anew.

    Of ordered values a resample is how often each was picked, so trimming it is cutting the running count.
    """
    ordered = _thinned(np.sort(values))
    count = len(ordered)
    cut = math.floor(count * trimmed)
    picks = _picks(count, np.random.default_rng(SEED))
    weights = np.diff(np.cumsum(picks, axis=1).clip(cut, count - cut).astype(float), axis=1, prepend=cut)
    middle = centre(ordered, trimmed)
    return np.asarray(middle + (weights @ ordered / (count - 2 * cut) - middle) * _expansion(count, level))


def _expansion(count: int, level: float) -> float:
    """Say how much wider than its percentiles a bootstrap of few values is (Hesterberg 2015, expanded percentiles).

    Resamples scatter by sqrt(n - 1) where the mean does by sqrt(n), and have the tails of a normal
    distribution where Student's are right: t / z is 1 + (z^2 + 1) / 4 (n - 1) and smaller terms.
    """
    free = max(1, count - 1)
    tail = NormalDist().inv_cdf((1 + level) / 2)
    return math.sqrt(count / free) * (1 + (tail**2 + 1) / (4 * free))


def median_draws(values: Floats) -> Floats:
    """Give RESAMPLES draws of the median of ``values``, which must not be empty."""
    ordered = _thinned(np.sort(values))
    return np.asarray(ordered[_middles(len(ordered))].mean(axis=1))


@lru_cache(maxsize=256)
def _middles(count: int) -> npt.NDArray[np.intp]:
    """Give the places of the two middle values of each resample of ``count`` ordered ones.

    Of ordered values the median of a resample is the value at the median of the places it picked, so
    series of the same length share the work. The seed is another than that of means: errors of a level
    and of the runs above it are drawn apart, or they would cancel.
    """
    generator = np.random.default_rng(SEED + 1)
    picks = generator.integers(0, count, size=(RESAMPLES, count))
    both = [(count - 1) // 2, count // 2]
    return np.asarray(np.partition(picks, both, axis=1)[:, both])


def median_interval(values: Floats, level: float) -> Interval:
    """Give the median of ``values``, which must not be empty, with its exact interval.

    Between the k-th value from below and from above lies the true median with a chance that is
    binomial, whatever the distribution. Of fewer than 5 values even all of them hold it less often than 0.9.
    """
    ordered = np.sort(values)
    count = len(ordered)
    cut = max(0, count - needed(count, 0.5, (1 - level) / 2))
    return bounded(float(np.median(ordered)), float(ordered[cut]), float(ordered[-1 - cut]), level)


def rate_interval(bad: int, runs: int, level: float) -> Interval:
    """Give the exact (Clopper-Pearson) interval of a rate, found by bisection on the binomial."""
    tail = (1 - level) / 2
    low = 0.0 if bad == 0 else _bisect(lambda p: at_least(bad, runs, p) - tail)
    high = 1.0 if bad == runs else _bisect(lambda p: tail - (1 - at_least(bad + 1, runs, p)))
    return bounded(bad / runs, low, high, level)


def poisson_interval(events: int, exposure: float, level: float) -> Interval:
    """Give the exact (Garwood) interval of a rate: ``events`` seen in ``exposure``, which is above 0."""
    tail = (1 - level) / 2
    most = events + 10.0 * math.sqrt(events + 1) + 20.0  # no interval in use reaches so far
    low = 0.0 if events == 0 else most * _bisect(lambda share: poisson_at_least(events, share * most) - tail)
    high = most * _bisect(lambda share: tail - (1 - poisson_at_least(events + 1, share * most)))
    return bounded(events / exposure, low / exposure, high / exposure, level)


def poisson_at_least(events: int, mean: float) -> float:
    """Give the chance of at least so many events where ``mean`` are expected."""
    if events <= 0:
        return 1.0
    if mean <= 0.0:
        return 0.0
    fewer = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(events))
    return max(0.0, 1.0 - math.fsum(math.exp(term) for term in fewer))


def at_least(successes: int, trials: int, probability: float) -> float:
    """Give the chance of at least so many successes: the exact upper binomial tail."""
    return float(_tails(trials, probability)[successes]) if successes <= trials else 0.0


@lru_cache(maxsize=65536)
def needed(trials: int, probability: float, false_alarm: float) -> int:
    """Give how many of ``trials`` must be above for chance to be ruled out; trials + 1 if never."""
    return int(np.count_nonzero(_tails(trials, probability) >= false_alarm))


def _tails(trials: int, probability: float) -> Floats:
    """Give the upper binomial tail of 0 to ``trials`` successes, summed from its small end."""
    if not 0.0 < probability < 1.0:
        return np.where(np.arange(trials + 1) <= trials * probability, 1.0, 0.0)
    failures = np.arange(trials)
    ratios = np.log(trials - failures) - np.log(failures + 1) + math.log(probability) - math.log1p(-probability)
    logs = trials * math.log1p(-probability) + np.concatenate([[0.0], np.cumsum(ratios)])
    return np.asarray(np.minimum(1.0, np.cumsum(np.exp(logs)[::-1])[::-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Values of many groups: those of group g, in order, are the ``counts[g]`` from ``begins[g]`` on."""

    ordered: Floats
    begins: Places
    counts: Places

    def quantile(self, share: float) -> Floats:
        """Interpolate between the order statistics of each group; NaN for a group without values."""
        some = self.counts > 0
        begins, last = self.begins[some], self.counts[some] - 1
        place = share * last
        below = place.astype(np.intp)
        low, high = self.ordered[begins + below], self.ordered[begins + np.minimum(below + 1, last)]
        found = np.full(len(some), np.nan)
        found[some] = low + (place - below) * (high - low)
        return found

    def of(self, group: int) -> Floats:
        """Give the values of one group, in order."""
        begin = self.begins[group]
        return self.ordered[begin : begin + self.counts[group]]


def grouped(values: Floats, groups: Places, count: int) -> Grouped:
    """Order the ``values`` of groups 0 to ``count`` - 1; ``groups`` says whose each is, and only grows."""
    counts = np.bincount(groups, minlength=count)
    ends = np.cumsum(counts)
    ordered = values.copy()
    for begin, end in zip((ends - counts).tolist(), ends.tolist(), strict=True):
        ordered[begin:end].sort()
    return Grouped(ordered=ordered, begins=ends - counts, counts=counts)


def _thinned(ordered: Floats, limit: int = 1000) -> Floats:
    """Keep the resampling of long windows cheap: evenly spaced order statistics stand for all."""
    if len(ordered) <= limit:
        return ordered
    place = (np.arange(limit) + 0.5) / limit * (len(ordered) - 1)
    below = place.astype(np.intp)
    return np.asarray(ordered[below] + (place - below) * (ordered[below + 1] - ordered[below]))


def _bisect(function: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2
