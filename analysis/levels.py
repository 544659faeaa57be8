"""Holds every run of a series against its reference and finds where it is slow or failing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.counting import RULES
from analysis.expectation import Band, Seasons, declared, hours, pooled
from analysis.learning import BLOCKS, Learner, block_size, unit_size
from analysis.series import Bools, Rows, Series, Times
from analysis.settings import AnalysisSettings
from analysis.significance import significant
from analysis.statistics import OUTLIER_SHARE, Floats
from analysis.stretches import failing, stalling, sudden
from analysis.watch import LONGEST, Stretch, Watch, limits
from collector.model.access import Population
from collector.model.verdict import Reference, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A series with its reference: ``mid`` and ``threshold`` per row (NaN where there is none).

    ``slow``, ``sudden``, ``failing`` and ``stalling`` are stretches of row numbers; ``band`` is the one in force at the
    end, None when there is none. ``vantage`` is the best access, when that is the reference.
    """

    series: Series
    against: Reference
    mid: Floats
    threshold: Floats
    band: Band | None
    slow: tuple[Stretch, ...]
    failing: tuple[Stretch, ...]
    sudden: tuple[Stretch, ...] = ()
    stalling: tuple[Stretch, ...] = ()
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
    size = unit_size(len(rows))
    seasonal = _seasonal(series, seasons) if settings.seasonal else {}
    watched = _Watched(
        learner=Learner(series=series, rows=rows, size=size, settings=settings),
        medians=_medians(series.seconds[rows]),
        fixed=_fixed_levels(series.slots[rows[::size]].astype("datetime64[h]"), seasonal),
        limit=limits(OUTLIER_SHARE, settings.false_alarm, least_share=0.5),
        band=_first_band(series, rows, others, settings),
    )
    mids, mosts = watched.judged()
    mid, threshold = np.full(len(series), np.nan), np.full(len(series), np.nan)
    mid[rows], threshold[rows] = np.repeat(mids, size)[: len(rows)], np.repeat(mosts, size)[: len(rows)]
    last = seasonal.get(series.slots[-1].astype("datetime64[h]"), watched.band)
    marks = _Marks(mid=mid, threshold=threshold, band=last)
    found = _levels(series, Reference.EXPECTED, marks, watched.watch, failing(series, settings))
    far = sudden(series, mid, threshold, settings)
    slow, soon = (significant(stretches, series, mid, seasonal) for stretches in (found.slow, far))
    now_and_then = [s for s in stalling(series, mid, settings) if not any(s.overlaps(one) for one in found.slow)]
    return replace(found, slow=slow, sudden=soon, stalling=tuple(now_and_then))


@dataclass(slots=True, kw_only=True)
class _Watched:
    """The units of a series, watched against a band that moves on as they teach; ``fixed`` bands go first."""

    learner: Learner
    medians: Floats
    fixed: tuple[Floats, Floats]
    limit: Mapping[int, int]
    band: Band | None
    watch: Watch = field(default_factory=Watch)

    def judged(self) -> tuple[Floats, Floats]:
        """Watch all units; give what was expected of each and from where on it is slow, NaN where unknown."""
        count, size = len(self.medians), block_size(len(self.medians))
        mids, mosts = self.fixed[0].copy(), self.fixed[1].copy()
        begin = 0
        while begin < count:
            begins = np.arange(begin, min(count, begin + BLOCKS * size), size)
            before = [replace(stretch) for stretch in self.watch.stretches]
            told, mid, high = self._ahead(begins, before)
            here = slice(begin, min(count, int(begins[-1]) + size))
            free = np.isnan(mosts[here])
            width = here.stop - begin
            mids[here][free] = np.repeat(mid, size)[:width][free]
            mosts[here][free] = np.repeat(RULES.thresholds(mid, high), size)[:width][free]
            end = begin + self._follow(self.medians[here], mosts[here], size)
            mids[end:], mosts[end:] = self.fixed[0][end:], self.fixed[1][end:]
            passed = begins[: -(-(end - begin) // size)][told[: -(-(end - begin) // size)]]
            if len(passed):
                self.band = self.learner.band(int(passed[-1]), before)
            begin = end
        return mids, mosts

    def _ahead(self, begins: Rows, stretches: Sequence[Stretch]) -> tuple[Bools, Floats, Floats]:
        """Give which blocks learn a band, and each block's middle and top: its own, or the last one known."""
        mid, high = self.learner.levels(begins, stretches)
        told = ~np.isnan(mid)
        source = np.maximum.accumulate(np.where(told, np.arange(1, len(begins) + 1), 0))
        first = (self.band.mid, self.band.high) if self.band else (np.nan, np.nan)
        return told, np.concatenate([first[:1], mid])[source], np.concatenate([first[1:], high])[source]

    def _follow(self, medians: Floats, mosts: Floats, size: int) -> int:
        """Watch to the end of the block in which a stretch starts or ends; give how many units that were."""
        known = np.flatnonzero(~np.isnan(mosts))
        flags = (medians > mosts)[known]
        taken = self.watch.until_change(flags, self.limit)
        if taken == len(flags):
            return len(medians)
        end = min(len(medians), (int(known[taken - 1]) // size + 1) * size)
        self.watch.follow(flags[taken : int(np.searchsorted(known, end))], self.limit)
        return end


def _fixed_levels(hours: Times, seasonal: Mapping[np.datetime64, Band]) -> tuple[Floats, Floats]:
    """Give middle and threshold of each unit whose hour has a band of its own, NaN for the others."""
    mids, mosts = np.full(len(hours), np.nan), np.full(len(hours), np.nan)
    for hour, band in seasonal.items():
        mids[hours == hour], mosts[hours == hour] = band.mid, RULES.threshold(band.mid, band.high)
    return mids, mosts


def _medians(values: Floats) -> Floats:
    """Give the median of each unit of consecutive values."""
    size = unit_size(len(values))
    if size == 1:
        return values
    whole = len(values) // size * size
    medians = np.median(values[:whole].reshape(-1, size), axis=1)
    return medians if whole == len(values) else np.append(medians, np.median(values[whole:]))


def _first_band(series: Series, rows: Rows, others: Sequence[Series], settings: AnalysisSettings) -> Band | None:
    if len(rows) >= settings.baseline_runs:
        first = rows[: settings.baseline_runs]
        return pooled(series.seconds[first], series.censored[first].astype(float))
    return _same_slot(series, rows, others, settings)


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
    threshold = RULES.thresholds(mid, mid)
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
    watch.follow(_medians(over[~np.isnan(over)]) > 0, limit)
    return _levels(series, against, marks, watch, ())


def _levels(series: Series, against: Reference, marks: _Marks, watch: Watch, fails: tuple[Stretch, ...]) -> Levels:
    rows = np.flatnonzero(~np.isnan(marks.threshold))
    size = unit_size(len(rows))
    begins = rows[::size]
    ends = rows[np.minimum(np.arange(1, len(begins) + 1) * size, len(rows)) - 1]
    return Levels(
        series=series,
        against=against,
        mid=marks.mid,
        threshold=marks.threshold,
        band=marks.band,
        slow=tuple(Stretch(int(begins[s.first]), int(ends[s.last]), s.open) for s in watch.stretches),
        failing=fails,
        vantage=marks.vantage,
    )
