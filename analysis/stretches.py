"""Stretches of runs that fail, are far too slow, or stand still more often than quiet ones do."""

import numpy as np

from analysis.learning import block_size, quiet
from analysis.series import Bools, Rows, Series
from analysis.settings import AnalysisSettings
from analysis.statistics import OUTLIER_SHARE, Floats
from analysis.watch import LONGEST, RARER, Limits, Stretch, Watch, in_a_row, limits

SUDDEN_TIMES = 2.0  # as far beyond the expected level as a slow run is: nobody needs to look five times
SUDDEN_RATE = 0.02  # of quiet runs may be that far
STALL_SECONDS = 0.5  # beyond the expected level, or three times as long as that: then a run has stood still
STALL_TIMES = 3.0
STALL_RATE = 0.02  # of quiet runs may do so
STALL_RECOVERY = (20, 0)
QUIET_FAILURE_RATE = 0.05  # a service that fails once in twenty is not failing, it is poor


def failing(series: Series, settings: AnalysisSettings) -> tuple[Stretch, ...]:
    """Find stretches in which more runs fail, time out or are dropped than the quiet ones before."""
    return _too_often(series.bad, Watch(), QUIET_FAILURE_RATE, settings.false_alarm)


def sudden(series: Series, mid: Floats, threshold: Floats, settings: AnalysisSettings) -> tuple[Stretch, ...]:
    """Find stretches that begin with runs in a row far beyond what is slow already: three say enough."""
    far = ~np.isnan(threshold) & (np.nan_to_num(series.seconds) > np.nan_to_num(mid + SUDDEN_TIMES * (threshold - mid)))
    return _too_often(far, Watch(), SUDDEN_RATE, settings.false_alarm, in_a_row)


def surely_slow(series: Series, threshold: Floats, settings: AnalysisSettings) -> tuple[Stretch, ...]:
    """Find stretches of so many slow runs that chance is ruled out a hundred times over."""
    rows = np.flatnonzero(~np.isnan(threshold) & series.timed)
    watch = Watch()
    flags = series.seconds[rows] > threshold[rows]
    watch.follow(flags, limits(OUTLIER_SHARE, RARER * settings.false_alarm))
    return tuple(Stretch(int(rows[one.first]), int(rows[one.last]), one.open) for one in watch.stretches)


def standstill(mid: Floats) -> Floats:
    """Give the seconds beyond which a run has stood still, where it is expected to take ``mid``."""
    return np.asarray(mid + np.maximum(STALL_SECONDS, STALL_TIMES * mid))


def stalling(series: Series, mid: Floats, settings: AnalysisSettings, *, sure: bool = False) -> tuple[Stretch, ...]:
    """Find stretches in which runs stand still again and again, most others being as quick as ever.

    Only the first of runs that stand still one after the other counts: one long standstill is one.
    ``sure`` rules chance out a hundred times over.
    """
    far = ~np.isnan(mid) & (np.nan_to_num(series.seconds) > np.nan_to_num(standstill(mid)))
    again = far & ~np.concatenate([[False], far[:-1]])
    false_alarm = RARER * settings.false_alarm if sure else settings.false_alarm
    return _too_often(again, Watch(recovery=STALL_RECOVERY), STALL_RATE, false_alarm)


def _too_often(
    flags: Bools, watch: Watch, least: float, false_alarm: float, enough: Limits = limits
) -> tuple[Stretch, ...]:
    """Find stretches in which more rows are flagged than usual, ``least`` of them being always usual."""
    if not flags.any():
        return ()
    size = block_size(len(flags))
    row = 0
    while row < len(flags):
        rates = _usual_rates(flags, np.arange(row, len(flags), size), watch, least)
        same = next((block for block, rate in enumerate(rates) if rate != rates[0]), len(rates))
        limit = enough(rates[0], false_alarm)
        taken = row + watch.until_change(flags[row : row + same * size], limit)
        end = min(len(flags), -(-taken // size) * size)
        watch.follow(flags[taken:end], limit)
        row = end
    return tuple(watch.stretches)


def _usual_rates(flags: Bools, begins: Rows, watch: Watch, least: float) -> list[float]:
    """Give the rate of flagged rows in the quiet rows up to each, rounded to keep the limits few."""
    keep = quiet(len(flags), watch.stretches)
    known = np.maximum(begins - LONGEST, 0)
    bad = np.concatenate([[0], np.cumsum(flags & keep)])[known]
    runs = np.concatenate([[0], np.cumsum(keep)])[known]
    rates = (bad + 0.5) / (runs + 1)
    return [
        max(least, round(rate, 2)) if row > LONGEST else least
        for row, rate in zip(begins.tolist(), rates.tolist(), strict=True)
    ]
