"""Long windows: which hours of which step were slow or failing, from the hourly roll-up alone.

An hour is slow when its median is materially above the median of the quiet hours of the four weeks
before (of the same hour of day, when there are five), failing when more runs failed than chance
allows. What lasts less than about half an hour does not show here; the regular analysis sees it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analysis.counting import RULES
from analysis.expectation import Band, pooled
from analysis.levels import QUIET_FAILURE_RATE
from analysis.series import KEY, Bools, Key, key_of, moment
from analysis.settings import AnalysisSettings
from analysis.statistics import needed
from collector.model.verdict import Reference, Rung

HOUR = timedelta(hours=1)
LEAST_HOURS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One step and population over a long window; ``spans`` are runs of bad hours, worst first.

    ``median`` is that of the hourly medians, None when nothing was measured.
    """

    key: Key
    runs: int
    timeouts: int
    median: float | None
    band: Band | None
    spans: tuple[tuple[datetime, datetime, float], ...]


def summarise(
    hourly: pd.DataFrame, start: datetime, end: datetime, against: Reference, settings: AnalysisSettings
) -> list[Hours]:
    """Give every step and population that ran in ``start`` to ``end``, by key."""
    return list(_summarise(hourly, start, end, against, settings))


def _summarise(
    hourly: pd.DataFrame, start: datetime, end: datetime, against: Reference, settings: AnalysisSettings
) -> Iterator[Hours]:
    for values, rows in hourly.groupby(KEY, sort=True, observed=True):
        ordered = rows.sort_values("hour")
        inside = (ordered["hour"] >= _naive(start)) & (ordered["hour"] < _naive(end))
        if not inside.any():
            continue
        band = _band(ordered, against, settings)
        here = ordered[inside]
        bad, excess = _bad(here, band, against, settings)
        medians = here["q50"].dropna().to_numpy(dtype=float)
        yield Hours(
            key=key_of(values),
            runs=int(here["runs"].sum()),
            timeouts=int(here["timeouts"].sum()),
            median=float(np.median(medians)) if len(medians) else None,
            band=band,
            spans=tuple(sorted(_spans(here, bad, excess), key=lambda span: (-span[2], span[0]))),
        )


def _band(rows: pd.DataFrame, against: Reference, settings: AnalysisSettings) -> Band | None:
    if against is Reference.TARGET:
        targets = rows["target_seconds"].dropna()
        return (
            None
            if targets.empty
            else Band(rung=Rung.NONE, low=targets.iloc[-1], mid=targets.iloc[-1], high=targets.iloc[-1], runs=0)
        )
    known = rows[rows["q50"].notna()]
    if len(known) < LEAST_HOURS or known["measured"].sum() < settings.baseline_runs:
        return None
    return pooled(known["q50"].to_numpy(dtype=float))


def _bad(
    rows: pd.DataFrame, band: Band | None, against: Reference, settings: AnalysisSettings
) -> tuple[Bools, "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    seconds = rows["q50"].to_numpy(dtype=float)
    failed = (rows["timeouts"] + rows["failures"]).to_numpy(dtype=int)
    runs = rows["runs"].to_numpy(dtype=int)
    failing = np.array(
        [bad >= needed(int(n), QUIET_FAILURE_RATE, settings.false_alarm) for bad, n in zip(failed, runs, strict=True)],
        dtype=bool,
    )
    if band is None:
        return failing, failed.astype(float)
    limit = band.mid if against is Reference.TARGET else RULES.threshold(band.mid, band.high)
    excess = np.nan_to_num(np.maximum(0.0, seconds - band.mid)) * runs
    return np.asarray(failing | (seconds > limit)), excess + failed


def _spans(
    rows: pd.DataFrame, bad: Bools, excess: "np.ndarray[tuple[int], np.dtype[np.float64]]"
) -> Iterator[tuple[datetime, datetime, float]]:
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
