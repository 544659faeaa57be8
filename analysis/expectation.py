"""What a step is expected to take: a ladder, and the rung that history reaches.

========== ============================================ ===========================================
rung       needs                                        band
========== ============================================ ===========================================
none       nothing (a declared target)                  the target
same_slot  10 own runs and another access in the slots  own first runs, moved as the others moved
pooled     30 measured runs                             the latest quiet runs, at most 300
hour_of_day   the same hour on 5 days, 30 runs          medians of these hours, moved
hour_of_week  the same hour of 3 weeks, 30 runs         medians of these hours, moved
========== ============================================ ===========================================

Medians of hours are moved to where the last seven days lie: by the median of what each of their hours took beside the
median of its hour, at most by what counts as an excess. Few hours say little of how far apart days are, so the
band's top is also as far up as four times the scatter of all hours beside their hour's median.

Centre is a median, spread a quantile or a MAD, whichever is wider: single outliers and single bad
days move neither. A timeout enters with its limit; when it reaches the centre, the centre is "≥".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.counting import RULES
from analysis.series import KEY, Key, Rows, Times, key_of, moment
from analysis.statistics import Floats
from collector.model.verdict import Rung

SPREADS = 3.0  # times the MAD, scaled to a standard deviation
MAD = 1.4826
LEVELS = 4.0  # times the scatter of hours: there are thousands of them in a month
DAYS = 5
WEEKS = 3
LEAST_RUNS = 5  # of an hour, without which it says nothing of how far runs are apart
RECENT = np.timedelta64(7 * 24, "h")
LEAST_HOURS = 24  # without which nothing is said of the last days, and of how far apart days are


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Expected duration in seconds: ``low`` to ``high`` holds about nine of ten quiet runs.

    ``at_least`` says the centre fell among timeouts: the true one is higher. ``centres`` are the medians
    of hours that ``mid`` is the median of, when it is one of hours; then ``between`` is the scatter of hours of a kind
    and ``within`` that of runs of one hour, both of logarithms.
    """

    rung: Rung
    low: float
    mid: float
    high: float
    runs: int
    at_least: bool = False
    centres: tuple[float, ...] = ()
    between: float = 0.0
    within: float = 0.0


def pooled(seconds: Floats, censored: Floats | None = None, *, rung: Rung = Rung.POOLED) -> Band:
    """Give the band of quiet runs, which must not be empty."""
    ordered = np.sort(seconds)
    low, mid, upper = (_quantile(ordered, share) for share in (0.05, 0.5, 0.9))
    spread = SPREADS * MAD * _quantile(np.sort(np.abs(ordered - mid)), 0.5)
    at_least = censored is not None and bool(np.any(censored)) and float(np.min(seconds[censored > 0])) <= mid
    return Band(rung=rung, low=low, mid=mid, high=max(upper, mid + spread), runs=len(seconds), at_least=at_least)


def declared(target: float) -> Band:
    """Give the band of a declared target: a single line."""
    return Band(rung=Rung.NONE, low=target, mid=target, high=target, runs=0)


class Seasons:
    """Bands by hour from the store's hourly roll-up: median over days, so bad days do not teach."""

    def __init__(self, hourly: pd.DataFrame, *, minimum_runs: int) -> None:
        self._minimum = minimum_runs
        self._rows = _by_key(hourly)

    def band(self, key: Key, hour: datetime) -> Band | None:
        """Give the highest seasonal rung that history before ``hour`` reaches; None when it reaches none."""
        past = self._rows.get(key)
        if past is None:
            return None
        at = np.datetime64(hour.replace(tzinfo=None), "h")
        known = past.where(past.hour < at)
        daily = known.where((at - known.hour).astype(int) % 24 == 0)
        weekly = daily.where((at - daily.hour).astype(int) % (7 * 24) == 0)
        if len(weekly.hour) >= WEEKS and weekly.measured.sum() >= self._minimum:
            return _seasonal(weekly, Rung.HOUR_OF_WEEK, known, at)
        if len(daily.hour) >= DAYS and daily.measured.sum() >= self._minimum:
            return _seasonal(daily, Rung.HOUR_OF_DAY, known, at)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """Hours of one step and access in which something was measured.

    ``weekly`` and ``daily`` say by how much each is above its like (``_above``).
    """

    hour: Times
    measured: Floats
    q10: Floats
    q50: Floats
    q90: Floats
    weekly: Floats
    daily: Floats

    def where(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "_Past":
        """Give some of the hours."""
        return _Past(
            hour=self.hour[rows],
            measured=self.measured[rows],
            q10=self.q10[rows],
            q50=self.q50[rows],
            q90=self.q90[rows],
            weekly=self.weekly[rows],
            daily=self.daily[rows],
        )


def hours(slots: Times) -> Sequence[datetime]:
    """Give the distinct hours of ``slots``, in order."""
    return [moment(hour) for hour in np.unique(slots.astype("datetime64[h]"))]


def _quantile(ordered: Floats, share: float) -> float:
    """Interpolate between order statistics; numpy's own costs ten times as much for so few values."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def _recently(above: Floats) -> float:
    """Give the factor by which these hours took more than their like, at most what does not count as an excess."""
    most = math.log1p(RULES.minimum_excess_share)
    return math.exp(min(most, max(-most, float(np.median(above))))) if len(above) >= LEAST_HOURS else 1.0


def _scatter(above: Floats, like: int) -> float:
    """Give the standard deviation of ``above``; the ``like`` hours that make a median are nearer to it than others."""
    if len(above) < LEAST_HOURS:
        return 0.0
    return MAD * float(np.median(np.abs(above - np.median(above)))) * math.sqrt(like / (like - 1))


def _within(rows: _Past) -> float:
    """Give the scatter of single runs around their hour's median, from its tenth and ninetieth percentile."""
    told = (rows.q10 > 0) & (rows.q90 > 0) & (rows.measured >= LEAST_RUNS)
    if not told.any():
        return 0.0
    apart = _tenths(int(np.median(rows.measured[told])))
    return float(np.median(np.log(rows.q90[told] / rows.q10[told]))) / apart


@lru_cache(maxsize=256)
def _tenths(runs: int) -> float:
    """Give the standard deviations between these percentiles of so few runs, in the mean (Blom's normal scores)."""
    place = 0.1 * (runs - 1) + 1
    return -2 * NormalDist().inv_cdf((place - 0.375) / (runs + 0.25))


def _above(q50: Floats, kinds: Rows, least: int) -> Floats:
    """Give the logarithm of what each hour took beside the median of its kind; NaN for kinds of too few hours."""
    order = np.lexsort((q50, kinds))
    first, counts = np.unique(kinds[order], return_index=True, return_counts=True)[1:]
    below, above = q50[order[first + (counts - 1) // 2]], q50[order[first + counts // 2]]
    usual = np.empty(len(q50))
    usual[order] = np.repeat(np.where(counts >= least, 0.5 * (below + above), np.nan), counts)
    told = (usual > 0) & (q50 > 0)
    return np.log(q50, where=told, out=np.full(len(q50), np.nan)) - np.log(usual, where=told, out=np.zeros(len(q50)))


def _seasonal(rows: _Past, rung: Rung, known: _Past, at: np.datetime64) -> Band:
    column = known.weekly if rung is Rung.HOUR_OF_WEEK else known.daily
    told = ~np.isnan(column)
    moved = _recently(column[told & (known.hour >= at - RECENT)])
    mid = moved * float(np.median(rows.q50))
    spread = SPREADS * MAD * float(np.median(np.abs(moved * rows.q50 - mid)))
    between = _scatter(column[told], len(rows.hour))
    reach = mid * math.exp(LEVELS * between)
    return Band(
        rung=rung,
        low=min(mid, moved * float(np.nanmedian(rows.q10))),
        mid=mid,
        high=max(moved * float(np.nanmedian(rows.q90)), mid + spread, reach),
        runs=int(rows.measured.sum()),
        centres=tuple((moved * rows.q50).tolist()),
        between=between,
        within=_within(known),
    )


def _by_key(hourly: pd.DataFrame) -> Mapping[Key, _Past]:
    known = hourly[hourly["q50"].notna()]
    numbers = {name: known[name].to_numpy(dtype=float, na_value=np.nan) for name in ("measured", "q10", "q50", "q90")}
    grouped = known.groupby(KEY, sort=True, observed=True)
    hour, series = known["hour"].to_numpy(dtype="datetime64[h]"), grouped.ngroup().to_numpy(dtype=np.int64)
    weekly, daily = (
        _above(numbers["q50"], series * period + hour.astype(np.int64) % period, least)
        for period, least in ((7 * 24, WEEKS), (24, DAYS))
    )
    every = _Past(hour=hour, weekly=weekly, daily=daily, **numbers)
    return {key_of(values): every.where(np.asarray(rows)) for values, rows in grouped.indices.items()}
