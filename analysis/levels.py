"""Holds every run of a series against its reference and finds where it is slow or failing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.counting import RULES
from analysis.expectation import Band, Seasons, declared, hours, pooled
from analysis.series import Series
from analysis.settings import AnalysisSettings
from analysis.statistics import OUTLIER_SHARE, Floats
from analysis.watch import LONGEST, Stretch, Watch, limits
from collector.model.access import Population
from collector.model.verdict import Reference, Rung

QUIET_FAILURE_RATE = 0.05  # a service that fails once in twenty is not failing, it is poor
BLOCKS = 150  # at most so many expectations are computed for one series
UNITS = 2000  # a series with more runs is judged by the medians of so many short stretches of runs
BLOCK = 5  # runs judged by one expectation, at least

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A series with its reference: ``mid`` and ``threshold`` per row (NaN where there is none).

    ``slow`` and ``failing`` are stretches of row numbers; ``band`` is the one in force at the end,
    None when there is none. ``vantage`` is the best access, when that is the reference.
    """

    series: Series
    against: Reference
    mid: Floats
    threshold: Floats
    band: Band | None
    slow: tuple[Stretch, ...]
    failing: tuple[Stretch, ...]
    vantage: Population | None = None


def levels(
    series: Series, others: Sequence[Series], against: Reference, settings: AnalysisSettings, seasons: Seasons
) -> Levels:
    """Judge one series; ``others`` are the same step from other accesses."""
    if against is Reference.TARGET:
        return _against_target(series, settings)
    if against is Reference.REFERENCE:
        return _against_best(series, others, settings)
    return _against_expected(series, others, settings, seasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """What a reference says of each row."""

    mid: Floats
    threshold: Floats
    band: Band | None
    vantage: Population | None = None


def _against_expected(series: Series, others: Sequence[Series], settings: AnalysisSettings, seasons: Seasons) -> Levels:
    rows = np.flatnonzero(series.timed)
    units, medians = _units(rows), _medians(series.seconds[rows])
    watch = Watch()
    limit = limits(OUTLIER_SHARE, settings.false_alarm, least_share=0.5)
    mid, threshold = np.full(len(series), np.nan), np.full(len(series), np.nan)
    seasonal = _seasonal(series, seasons) if settings.seasonal else {}
    band = _first_band(series, rows, others, settings)
    size = max(BLOCK, len(units) // BLOCKS)
    for begin in range(0, len(units), size):
        band = _learned(series, units[: max(0, begin - LONGEST)], watch, settings) or band
        for unit, seconds in zip(units[begin : begin + size], medians[begin : begin + size].tolist(), strict=True):
            here = seasonal.get(series.slots[unit[0]].astype("datetime64[h]"), band) if seasonal else band
            if here is None:
                continue
            most = RULES.threshold(here.mid, here.high)
            mid[unit], threshold[unit] = here.mid, most
            watch.push(seconds > most, limit)
    last = seasonal.get(series.slots[-1].astype("datetime64[h]"), band)
    marks = _Marks(mid=mid, threshold=threshold, band=last)
    return _levels(series, Reference.EXPECTED, marks, watch, failing(series, settings))


def _units(rows: Rows) -> list[Rows]:
    """Cut rows into what is judged at once: single runs, or of very many runs short stretches."""
    size = _unit_size(len(rows))
    return [rows[begin : begin + size] for begin in range(0, len(rows), size)]


def _unit_size(rows: int) -> int:
    return max(1, -(-rows // UNITS))


def _medians(values: Floats) -> Floats:
    """Give the median of each unit of consecutive values."""
    size = _unit_size(len(values))
    padded = np.full(-(-len(values) // size) * size, np.nan)
    padded[: len(values)] = values
    return np.asarray(values if size == 1 else np.nanmedian(padded.reshape(-1, size), axis=1))


def _first_band(series: Series, rows: Rows, others: Sequence[Series], settings: AnalysisSettings) -> Band | None:
    if len(rows) >= settings.baseline_runs:
        first = rows[: settings.baseline_runs]
        return pooled(series.seconds[first], series.censored[first].astype(float))
    return _same_slot(series, rows, others, settings)


def _learned(series: Series, known: Sequence[Rows], watch: Watch, settings: AnalysisSettings) -> Band | None:
    """Learn from units that are old enough to know that no stretch holds them."""
    keep = np.ones(len(known), dtype=bool)
    for stretch in watch.stretches:
        keep[stretch.first : stretch.last + 1] = False
    quiet = [known[unit] for unit in np.flatnonzero(keep)[-settings.baseline_recent_runs :]]
    if not quiet:
        return None
    recent = np.concatenate(quiet)
    if len(recent) < settings.baseline_runs:
        return None
    return pooled(series.seconds[recent], series.censored[recent].astype(float))


def _same_slot(series: Series, rows: Rows, others: Sequence[Series], settings: AnalysisSettings) -> Band | None:
    """With little history: own first runs, moved by what the other accesses moved since."""
    first = settings.same_slot_runs
    moved = [_moved(other, first) for other in others]
    known = [value for value in moved if value is not None]
    if len(rows) < first or not known:
        return None
    band = pooled(series.seconds[rows[:first]], rung=Rung.SAME_SLOT)
    mid = band.mid + max(0.0, float(np.median(known)))
    return Band(rung=Rung.SAME_SLOT, low=band.low, mid=mid, high=max(band.high, 1.5 * mid), runs=first)


def _moved(other: Series, first: int) -> float | None:
    seconds = other.seconds[other.timed]
    if len(seconds) < first:
        return None
    return float(np.median(seconds[-6:]) - np.median(seconds[:first]))


def _seasonal(series: Series, seasons: Seasons) -> Mapping[np.datetime64, Band]:
    found = {
        np.datetime64(hour.replace(tzinfo=None), "h"): seasons.band(series.key, hour) for hour in hours(series.slots)
    }
    return {hour: band for hour, band in found.items() if band is not None}


def _against_target(series: Series, settings: AnalysisSettings) -> Levels:
    mid = np.where(series.timed, series.target, np.nan)
    told = np.flatnonzero(~np.isnan(series.target))
    band = declared(float(series.target[told[-1]])) if len(told) else None
    return _fixed(series, Reference.TARGET, _Marks(mid=mid, threshold=mid, band=band), settings)


def _against_best(series: Series, others: Sequence[Series], settings: AnalysisSettings) -> Levels:
    best = _best(others)
    if best is None:
        nothing = np.full(len(series), np.nan)
        return _fixed(series, Reference.REFERENCE, _Marks(mid=nothing, threshold=nothing, band=None), settings)
    rows = np.flatnonzero(best.timed)
    place = np.searchsorted(best.slots[rows], series.slots, side="right")
    smooth = np.array([np.median(best.seconds[rows[max(0, i - 5) : i]]) if i else np.nan for i in range(len(rows) + 1)])
    mid = np.where(series.timed, smooth[place], np.nan)
    threshold = np.array([RULES.threshold(value, value) for value in mid])
    recent = best.seconds[rows[-settings.baseline_recent_runs :]]
    band = pooled(recent, rung=Rung.SAME_SLOT)
    marks = _Marks(mid=mid, threshold=threshold, band=band, vantage=best.key.population)
    return _fixed(series, Reference.REFERENCE, marks, settings)


def _best(others: Sequence[Series]) -> Series | None:
    timed = [other for other in others if other.timed.sum() >= LONGEST // 5]
    return min(timed, key=lambda other: (float(np.median(other.seconds[other.timed])), other.key), default=None)


def _fixed(series: Series, against: Reference, marks: _Marks, settings: AnalysisSettings) -> Levels:
    watch = Watch()
    limit = limits(OUTLIER_SHARE, settings.false_alarm, least_share=0.5)
    over = series.seconds - marks.threshold
    for value in _medians(over[~np.isnan(over)]).tolist():
        watch.push(value > 0, limit)
    return _levels(series, against, marks, watch, ())


def _levels(series: Series, against: Reference, marks: _Marks, watch: Watch, fails: tuple[Stretch, ...]) -> Levels:
    units = _units(np.flatnonzero(~np.isnan(marks.threshold)))
    return Levels(
        series=series,
        against=against,
        mid=marks.mid,
        threshold=marks.threshold,
        band=marks.band,
        slow=tuple(Stretch(int(units[s.first][0]), int(units[s.last][-1]), s.open) for s in watch.stretches),
        failing=fails,
        vantage=marks.vantage,
    )


def failing(series: Series, settings: AnalysisSettings) -> tuple[Stretch, ...]:
    """Find stretches in which more runs fail, time out or are dropped than the quiet ones before."""
    watch = Watch()
    if not series.bad.any():
        return ()
    limit = limits(QUIET_FAILURE_RATE, settings.false_alarm)
    size = max(BLOCK, len(series) // BLOCKS)
    for row, bad in enumerate(series.bad):
        if row % size == 0 and row > LONGEST:
            limit = limits(_usual_rate(series, row - LONGEST, watch), settings.false_alarm)
        watch.push(bool(bad), limit)
    return tuple(watch.stretches)


def _usual_rate(series: Series, known: int, watch: Watch) -> float:
    """Give the rate of failures in the quiet rows up to ``known``, rounded to keep the limits few."""
    keep = np.ones(known, dtype=bool)
    for stretch in watch.stretches:
        keep[stretch.first : stretch.last + 1] = False
    rate = (float(series.bad[:known][keep].sum()) + 0.5) / (keep.sum() + 1)
    return max(QUIET_FAILURE_RATE, round(float(rate), 2))
