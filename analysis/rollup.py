"""Long windows: which hours of which step were slow or failing, from the hourly roll-up alone.

An hour is slow when its median is materially above the median of the quiet hours of the four weeks
before (of the same hour of day, when there are five), failing when more runs failed than chance
allows. What lasts less than about half an hour does not show here; the regular analysis sees it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analysis.counting import RULES
from analysis.expectation import Band, declared, pooled
from analysis.series import KEY, Bools, Key, key_of, moment
from analysis.settings import AnalysisSettings
from analysis.statistics import Floats, needed
from analysis.stretches import QUIET_FAILURE_RATE
from collector.model.verdict import Reference, Rung

HOUR = timedelta(hours=1)
LEAST_HOURS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One step and population over a long window; ``spans`` are runs of bad hours, worst first.

    ``median`` is that of the hourly medians, None when nothing was measured. ``known`` counts the hours held against
    something, ``slow`` are those whose median was over it.
    """

    key: Key
    runs: int
    timeouts: int
    median: float | None
    band: Band | None
    spans: tuple[tuple[datetime, datetime, float], ...]
    known: int
    slow: tuple[datetime, ...]
    against: Reference

    @property
    def standing(self) -> bool:
        """Say whether it was slow most of the time, against something that does not learn."""
        return self.against is not Reference.EXPECTED and 2 * len(self.slow) >= self.known >= LEAST_HOURS


def summarise(
    hourly: pd.DataFrame, start: datetime, end: datetime, against: Reference, settings: AnalysisSettings
) -> list[Hours]:
    """Give every step and population that ran in ``start`` to ``end``, by key."""
    return list(_summarise(hourly, start, end, against, settings))


def _summarise(
    hourly: pd.DataFrame, start: datetime, end: datetime, against: Reference, settings: AnalysisSettings
) -> Iterator[Hours]:
    best = _best(hourly, start, end) if against is Reference.REFERENCE else {}
    for values, rows in hourly.groupby(KEY, sort=True, observed=True):
        ordered = rows.sort_values("hour")
        inside = (ordered["hour"] >= _naive(start)) & (ordered["hour"] < _naive(end))
        if not inside.any():
            continue
        key, here = key_of(values), ordered[inside]
        held = _held(ordered, here, best.get(key), against, settings)
        seconds = here["q50"].to_numpy(dtype=float)
        slow = np.nan_to_num(seconds, nan=-np.inf) > np.nan_to_num(held.limit, nan=np.inf)
        bad, excess = _bad(here, held, slow, settings)
        medians = seconds[~np.isnan(seconds)]
        times = here["hour"].to_numpy(dtype="datetime64[us]")
        yield Hours(
            key=key,
            runs=int(here["runs"].sum()),
            timeouts=int(here["timeouts"].sum()),
            median=float(np.median(medians)) if len(medians) else None,
            band=held.band,
            spans=tuple(sorted(_spans(here, bad, excess), key=lambda span: (-span[2], span[0]))),
            known=int((~np.isnan(seconds) & ~np.isnan(held.limit)).sum()),
            slow=tuple(moment(hour) for hour in times[slow]),
            against=against,
        )


@dataclass(frozen=True, slots=True)
class _Held:
    """What hours are held against: the band at the end; middle and limit of each hour, NaN where there is none."""

    band: Band | None
    mid: Floats
    limit: Floats


def _held(
    rows: pd.DataFrame,
    here: pd.DataFrame,
    best: "pd.Series[float] | None",
    against: Reference,
    settings: AnalysisSettings,
) -> _Held:
    if against is Reference.REFERENCE:
        nothing = np.full(len(here), np.nan)
        if best is None:
            return _Held(None, nothing, nothing)
        mid: Floats = np.asarray(best.reindex(here["hour"]), dtype=np.float64)
        return _Held(pooled(np.asarray(best, dtype=np.float64), rung=Rung.SAME_SLOT), mid, RULES.thresholds(mid, mid))
    if against is Reference.TARGET:
        mid = np.asarray(here["target_seconds"].to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
        told = rows["target_seconds"].dropna()
        return _Held(None if told.empty else declared(float(told.iloc[-1])), mid, mid)
    band = _band(rows, settings)
    mid = np.full(len(here), band.mid if band else np.nan)
    limit = np.full(len(here), RULES.threshold(band.mid, band.high) if band else np.nan)
    return _Held(band, mid, limit)


def _best(hourly: pd.DataFrame, start: datetime, end: datetime) -> Mapping[Key, "pd.Series[float]"]:
    """Give, per step and access, the hourly medians of the quickest other access of the same step."""
    known = hourly["q50"].notna() & (hourly["hour"] >= _naive(start)) & (hourly["hour"] < _naive(end))
    grouped = hourly[known].groupby(KEY, sort=True, observed=True)
    medians = {key_of(values): rows.set_index("hour")["q50"].sort_index() for values, rows in grouped}
    found = {}
    for key in medians:
        rest = [(float(one.median()), other) for other, one in medians.items() if other.place == key.place]
        others = [(median, other) for median, other in rest if other != key and len(medians[other]) >= LEAST_HOURS]
        if others:
            found[key] = medians[min(others)[1]]
    return found


def _band(rows: pd.DataFrame, settings: AnalysisSettings) -> Band | None:
    known = rows[rows["q50"].notna()]
    if len(known) < LEAST_HOURS or known["measured"].sum() < settings.baseline_runs:
        return None
    return pooled(known["q50"].to_numpy(dtype=float))


def _bad(rows: pd.DataFrame, held: _Held, slow: Bools, settings: AnalysisSettings) -> tuple[Bools, Floats]:
    seconds = rows["q50"].to_numpy(dtype=float)
    failed = (rows["timeouts"] + rows["failures"]).to_numpy(dtype=int)
    runs = rows["runs"].to_numpy(dtype=int)
    failing = np.array(
        [bad >= needed(int(n), QUIET_FAILURE_RATE, settings.false_alarm) for bad, n in zip(failed, runs, strict=True)],
        dtype=bool,
    )
    excess = np.nan_to_num(np.maximum(0.0, seconds - held.mid)) * runs
    return np.asarray(failing | slow), excess + failed


def _spans(rows: pd.DataFrame, bad: Bools, excess: Floats) -> Iterator[tuple[datetime, datetime, float]]:
    hours = rows["hour"].to_numpy(dtype="datetime64[us]")
    begin = None
    for index, flag in enumerate([*bad.tolist(), False]):
        if flag and begin is None:
            begin = index
        elif not flag and begin is not None:
            yield moment(hours[begin]), moment(hours[index - 1]) + HOUR, float(excess[begin:index].sum())
            begin = None


def _naive(value: datetime) -> pd.Timestamp:
    return pd.Timestamp(value).tz_convert("UTC").tz_localize(None)
