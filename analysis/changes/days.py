"""One number for each day: what a day's runs took, like for like.

An hour of the day that is usually slow counts as slow as it usually is: every run is divided by the usual factor of its
hour (the median over days of the hour's median over the day's), so a day whose nights were not measured is compared
with whole days. Days of the week are told apart later (``step``). A run that timed out took at least its
limit: quantiles are Kaplan and Meier's, and a quantile that lies among timeouts is a lower bound and says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats, grouped
from analysis.survival import Lives, kaplan_meier

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

DAY = 86_400.0
HOUR = 3_600.0
LEAST_RUNS = 12  # of a day, before its quantiles mean anything
LEAST_SHARE = 0.25  # of the runs of a usual day
SHORTEST = 1e-6  # seconds: a duration of 0 has no logarithm


class Measure(StrEnum):
    """What of a day's durations is compared."""

    LEVEL = "level"  # the median
    TAIL = "tail"  # the duration that one run in ten exceeds
    SPREAD = "spread"  # the distance between the quartiles: variability


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs of one step from one access, any order.

    ``at`` (n,): when, in seconds of local time since any midnight that began a day. ``seconds`` (n,): how long it took.
    ``at_least`` (n,): it took longer, and was given up then. Raises ValueError for lengths that differ, or NaN.
    """

    at: Floats
    seconds: Floats
    at_least: Bools

    def __post_init__(self) -> None:
        if not len(self.at) == len(self.seconds) == len(self.at_least):
            raise ValueError("runs need a time, a duration and whether it is a lower bound, each")
        if not (np.all(np.isfinite(self.at)) and np.all(np.isfinite(self.seconds))):
            raise ValueError("a run without a time or a duration is none; leave it out")

    def joined(self, other: "Runs") -> "Runs":
        """Give both."""
        return Runs(
            at=np.concatenate([self.at, other.at]),
            seconds=np.concatenate([self.seconds, other.seconds]),
            at_least=np.concatenate([self.at_least, other.at_least]),
        )

    def of(self, rows: Bools) -> "Runs":
        """Give some of them."""
        return Runs(at=self.at[rows], seconds=self.seconds[rows], at_least=self.at_least[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """``days`` (n,), increasing; ``logs`` (n,) of the measure in seconds; ``bounds`` (n,): it is more than that."""

    days: Numbers
    logs: Floats
    bounds: Bools

    def of(self, rows: Bools) -> "Days":
        """Give some of them."""
        return Days(days=self.days[rows], logs=self.logs[rows], bounds=self.bounds[rows])

    def against(self, others: "Days") -> "Days":
        """Give how much higher each day was than the same day of ``others``; days that both have."""
        _, mine, theirs = np.intersect1d(self.days, others.days, return_indices=True)
        return Days(
            days=self.days[mine],
            logs=self.logs[mine] - others.logs[theirs],
            bounds=self.bounds[mine] | others.bounds[theirs],
        )


def by_day(runs: Runs, measure: Measure) -> Days:
    """Measure each day that has enough runs, with the usual factors of its hours taken out."""
    day = np.floor(runs.at / DAY).astype(np.int64)
    level = np.maximum(runs.seconds, SHORTEST) / np.exp(_hours(runs, day))
    present, rows, counts = np.unique(day, return_inverse=True, return_counts=True)
    enough = counts >= max(LEAST_RUNS, LEAST_SHARE * float(np.median(counts))) if len(counts) else counts > 0
    found = [_MEASURES[measure](level[rows == place], runs.at_least[rows == place]) for place in np.flatnonzero(enough)]
    return Days(
        days=present[enough],
        logs=np.log(np.array([max(value, SHORTEST) for value, _ in found], dtype=float)),
        bounds=np.array([bound for _, bound in found], dtype=bool),
    )


def _hours(runs: Runs, day: Numbers) -> Floats:
    """Give the log of the usual factor of each run's hour; of an hour that hardly any day has, 0."""
    hour = np.floor(runs.at % DAY / HOUR).astype(np.int64)
    present, rows = np.unique(day, return_inverse=True)
    order = np.argsort(rows * 24 + hour, kind="stable")
    logs = np.log(np.maximum(runs.seconds, SHORTEST))[order]
    table = grouped(logs, (rows * 24 + hour)[order], len(present) * 24).quantile(0.5).reshape(-1, 24)
    usual = np.zeros(24)
    for _ in range(3):  # a day's level is taken from the hours it has, so both are found in turn
        apart = table - np.nanmedian(table - usual, axis=1, keepdims=True)
        for place in range(24):
            some = apart[~np.isnan(apart[:, place]), place]
            usual[place] = float(np.median(some)) if len(some) >= 3 else 0.0
    return np.asarray((usual - usual.mean())[hour])


def quantile(seconds: Floats, at_least: Bools, share: float) -> tuple[float, bool]:
    """Give the quantile, and whether it is only a lower bound because it lies among timeouts."""
    if not at_least.any():
        return float(np.quantile(seconds, share)), False
    curve = kaplan_meier(Lives(seconds=seconds, ended=~at_least))
    found = curve.quantile(share)[0]
    return (found, False) if np.isfinite(found) else (float(np.max(seconds)), True)


def _spread(seconds: Floats, at_least: Bools) -> tuple[float, bool]:
    (low, _), (high, bound) = quantile(seconds, at_least, 0.25), quantile(seconds, at_least, 0.75)
    return high - low, bound


_MEASURES: dict[Measure, Callable[[Floats, Bools], tuple[float, bool]]] = {
    Measure.LEVEL: lambda seconds, at_least: quantile(seconds, at_least, 0.5),
    Measure.TAIL: lambda seconds, at_least: quantile(seconds, at_least, 0.9),
    Measure.SPREAD: _spread,
}
