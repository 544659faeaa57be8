"""What a step is expected to take: a ladder, and the rung that history reaches.

========== ============================================ ===========================================
rung       needs                                        band
========== ============================================ ===========================================
none       nothing (a declared target)                  the target
same_slot  10 own runs and another access in the slots  own first runs, moved as the others moved
pooled     30 measured runs                             the latest quiet runs, at most 300
hour_of_day   the same hour on 5 days, 30 runs          medians of these hours
hour_of_week  the same hour of 3 weeks, 30 runs         medians of these hours
========== ============================================ ===========================================

Centre is a median, spread a quantile or a MAD, whichever is wider: single outliers and single bad
days move neither. A timeout enters with its limit; when it reaches the centre, the centre is "≥".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.series import KEY, Key, Times, key_of, moment
from analysis.statistics import Floats
from collector.model.verdict import Rung

SPREADS = 3.0  # times the MAD, scaled to a standard deviation
MAD = 1.4826
DAYS = 5
WEEKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Expected duration in seconds: ``low`` to ``high`` holds about nine of ten quiet runs.

    ``at_least`` says the centre fell among timeouts: the true one is higher. ``centres`` are the medians
    of hours that ``mid`` is the median of, when it is one of hours.
    """

    rung: Rung
    low: float
    mid: float
    high: float
    runs: int
    at_least: bool = False
    centres: tuple[float, ...] = ()


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
        past = past.where((past.hour < at) & ((at - past.hour).astype(int) % 24 == 0))
        weekly = past.where((at - past.hour).astype(int) % (7 * 24) == 0)
        if len(weekly.hour) >= WEEKS and weekly.measured.sum() >= self._minimum:
            return _seasonal(weekly, Rung.HOUR_OF_WEEK)
        if len(past.hour) >= DAYS and past.measured.sum() >= self._minimum:
            return _seasonal(past, Rung.HOUR_OF_DAY)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """Hours of one step and access in which something was measured."""

    hour: Times
    measured: Floats
    q10: Floats
    q50: Floats
    q90: Floats

    def where(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "_Past":
        """Give some of the hours."""
        return _Past(
            hour=self.hour[rows],
            measured=self.measured[rows],
            q10=self.q10[rows],
            q50=self.q50[rows],
            q90=self.q90[rows],
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


def _seasonal(rows: _Past, rung: Rung) -> Band:
    mid = float(np.median(rows.q50))
    spread = SPREADS * MAD * float(np.median(np.abs(rows.q50 - mid)))
    return Band(
        rung=rung,
        low=min(mid, float(np.nanmedian(rows.q10))),
        mid=mid,
        high=max(float(np.nanmedian(rows.q90)), mid + spread),
        runs=int(rows.measured.sum()),
        centres=tuple(rows.q50.tolist()),
    )


def _by_key(hourly: pd.DataFrame) -> Mapping[Key, _Past]:
    known = hourly[hourly["q50"].notna()]
    numbers = {name: known[name].to_numpy(dtype=float, na_value=np.nan) for name in ("measured", "q10", "q50", "q90")}
    every = _Past(hour=known["hour"].to_numpy(dtype="datetime64[h]"), **numbers)
    grouped = known.groupby(KEY, sort=True, observed=True).indices
    return {key_of(values): every.where(np.asarray(rows)) for values, rows in grouped.items()}
