"""From judged runs to episodes of slowness and of failing, and to what is normal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from analysis.counting import RULES
from analysis.episode import Episode
from analysis.expectation import Band, Seasons, pooled
from analysis.levels import Levels, levels
from analysis.series import Bools, Series, moment, split, stamp
from analysis.settings import AnalysisSettings
from analysis.statistics import (
    Floats,
    bounded,
    centre,
    interval,
    median_draws,
    median_interval,
    rate_interval,
    trimmed_draws,
)
from analysis.stretches import stalling, standstill, surely_slow
from analysis.watch import Stretch
from analysis.window import Window
from collector.model.verdict import Interval, Reference, Rung, Status

LEAST_QUIET = 8  # quiet runs without which there is no before
LEAST_INNER = 6  # runs between the first and the last of an episode that say how sure its excess is


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One series held against one reference: its levels and its episodes, oldest first."""

    levels: Levels
    episodes: tuple[Episode, ...]


Span = tuple[datetime, datetime]


def judge(window: Window, against: Reference, settings: AnalysisSettings) -> list[Judgement]:
    """Judge every step, population and environment of ``window``; all of its history is looked at."""
    all_series = [series for series in split(window.steps, window.mixed) if len(series)]
    seasons = Seasons(window.hourly, minimum_runs=settings.baseline_runs)
    known = []
    for series in all_series:
        others = [other for other in all_series if other.key.place == series.key.place and other.key != series.key]
        known.append(levels(series, others, against, settings, seasons))
    judged = [(found, _merged(found, settings)) for found in _seconded(known, settings)]
    spans = [
        (found.series.key.site, moment(found.series.slots[s.first]), moment(found.series.slots[s.last]))
        for found, stretches in judged
        for s in stretches
    ]
    return [_judgement(found, stretches, spans, settings) for found, stretches in judged]


def _seconded(known: Sequence[Levels], settings: AnalysisSettings) -> list[Levels]:
    """Let few runs be enough only where another step or access of the site was slow, or stood still, then as well.

    Where chance is ruled out a hundred times over nobody else is needed.
    """
    slow = [
        (place, found.series.key.site, found.series.slots[one.first], found.series.slots[one.last])
        for place, found in enumerate(known)
        for one in (*found.slow, *found.sudden, *found.stalling)
    ]
    kept = []
    for place, found in enumerate(known):
        others = [(begin, end) for whose, site, begin, end in slow if whose != place and site == found.series.key.site]
        kept.append(_witnessed(found, others, settings) if found.against is Reference.EXPECTED else found)
    return kept


def _witnessed(
    found: Levels, others: Sequence[tuple[np.datetime64, np.datetime64]], settings: AnalysisSettings
) -> Levels:
    """Leave out the stretches that neither ``others``, spans of other series, nor a surer count bear out."""
    slots = found.series.slots

    def seconded(few: Sequence[Stretch]) -> list[Stretch]:
        return [s for s in few if any(begin <= slots[s.last] and slots[s.first] <= end for begin, end in others)]

    def borne_out(few: Sequence[Stretch], surer: Callable[[], Sequence[Stretch]]) -> tuple[Stretch, ...]:
        both = seconded(few)
        sure = surer() if len(both) < len(few) else ()
        return tuple(s for s in few if s in both or any(s.overlaps(one) for one in sure))

    return replace(
        found,
        slow=borne_out(found.slow, lambda: surely_slow(found.series, found.threshold, settings)),
        sudden=tuple(seconded(found.sudden)),
        stalling=borne_out(found.stalling, lambda: stalling(found.series, found.mid, settings, sure=True)),
    )


def _merged(found: Levels, settings: AnalysisSettings) -> list[Stretch]:
    """Join stretches that overlap: a timeout is both slow and a failure.

    Standing still now and then is an episode of its own only where most runs are neither slow nor failing.
    """
    joined: list[Stretch] = []
    for stretch in sorted((*found.slow, *found.sudden, *found.failing), key=lambda s: (s.first, s.last)):
        if joined and stretch.first <= joined[-1].last + 1:
            before = joined[-1]
            joined[-1] = Stretch(before.first, max(before.last, stretch.last), before.open or stretch.open)
        else:
            joined.append(stretch)
    joined += [s for s in found.stalling if not any(s.overlaps(one) for one in joined)]
    joined.sort(key=lambda s: s.first)
    least = np.timedelta64(int(settings.minimum_seconds * 1e6), "us")
    slots = found.series.slots
    return [s for s in joined if slots[s.last] - slots[s.first] >= least]


def _judgement(
    found: Levels,
    stretches: Sequence[Stretch],
    spans: Sequence[tuple[str, datetime, datetime]],
    settings: AnalysisSettings,
) -> Judgement:
    site = found.series.key.site
    here = [(start, end) for place, start, end in spans if place == site]
    own = [(moment(found.series.slots[s.first]), moment(found.series.slots[s.last])) for s in stretches]
    episodes = (_episode(found, stretch, own, here, settings) for stretch in stretches)
    return Judgement(levels=found, episodes=tuple(episode for episode in episodes if episode is not None))


def _episode(
    found: Levels, stretch: Stretch, own: Sequence[Span], everywhere: Sequence[Span], settings: AnalysisSettings
) -> Episode | None:
    series = found.series
    rows = np.arange(len(series))
    during = (rows >= stretch.first) & (rows <= stretch.last)
    timed, limit = _to_explain(found, stretch, during)
    bad = int(series.bad[during].sum())
    status = Status.FAILING if 2 * bad >= during.sum() else Status.SLOW
    if status is Status.SLOW and not timed.any():
        return None
    start, end = moment(series.slots[stretch.first]), moment(series.slots[stretch.last])
    quiet, excluded = _quiet(found, stretch, own, everywhere, settings)
    band, slow = _band_at(found, stretch, quiet), status is Status.SLOW
    if slow and band is None:
        return None
    return Episode(
        site=series.key.site,
        journey=series.key.journey,
        step=series.key.step,
        population=series.key.population,
        environment=series.key.environment,
        status=status,
        against=found.against,
        rung=band.rung if band else Rung.NONE,
        start=start,
        end=end,
        open=stretch.open,
        runs=int(during.sum()),
        censored=int(series.censored[during].sum()),
        measured=_measured(series, during, settings),
        expected=bounded(band.mid, band.low, band.high, settings.level) if band else None,
        excess_seconds=_excess(found, timed, quiet, settings) if slow else None,
        excess_rate=None if slow else _excess_rate(series, bad, during, _untroubled(series, quiet, excluded), settings),
        baseline_start=moment(series.slots[quiet][0]) if quiet.any() else None,
        baseline_end=start if quiet.any() else None,
        excluded=excluded,
        vantage=found.vantage,
        standstill=limit if slow else None,
        stood=int(timed.sum()) if slow and limit is not None else None,
    )


def _to_explain(found: Levels, stretch: Stretch, during: Bools) -> tuple[Bools, float | None]:
    """Give the runs whose seconds are to be explained, and beyond how many seconds they stood still, if they did."""
    series = found.series
    timed = during & series.timed & ~np.isnan(found.mid)
    if stretch not in found.stalling or not timed.any():
        return timed, None
    limit = float(np.median(standstill(found.mid[timed])))
    return timed & (series.seconds > limit), limit


def _measured(series: Series, during: Bools, settings: AnalysisSettings) -> Interval | None:
    seconds = series.seconds[during & series.timed]
    return median_interval(seconds, settings.level) if len(seconds) else None


def _excess(found: Levels, timed: Bools, quiet: Bools, settings: AnalysisSettings) -> Interval:
    """Give the trimmed mean of the excess; timeouts enter with their limit, so it is a lower bound then.

    The first and the last run are in the episode because they were slow: the interval is drawn from those
    between them, and from what the expected level may have been.
    """
    values = found.series.seconds[timed] - found.mid[timed]
    inner = values[1:-1] if len(values) > LEAST_INNER + 1 else values
    draws = trimmed_draws(inner, RULES.trimmed, settings.level) - _level_errors(found, quiet)
    return interval(centre(values, RULES.trimmed), draws, settings.level)


def _level_errors(found: Levels, quiet: Bools) -> Floats:
    """Give draws of how far off the learned level is; a declared target, or another access, is what it is."""
    if found.against is not Reference.EXPECTED or found.band is None:
        return np.zeros(1)
    learned = np.array(found.band.centres) if found.band.centres else found.series.seconds[quiet]
    return median_draws(learned) - np.median(learned) if len(learned) else np.zeros(1)


def _untroubled(series: Series, quiet: Bools, excluded: Sequence[Span]) -> Bools:
    """Give all rows of the quiet time, with those that failed before anything was timed."""
    if not quiet.any():
        return quiet
    ends = np.flatnonzero(quiet)
    rows = np.zeros(len(series), dtype=bool)
    rows[ends[0] : ends[-1] + 1] = True
    for start, end in excluded:
        rows &= ~((series.slots >= stamp(start)) & (series.slots <= stamp(end)))
    return rows


def _excess_rate(series: Series, bad: int, during: Bools, quiet: Bools, settings: AnalysisSettings) -> Interval:
    before = float(series.bad[quiet].mean()) if quiet.any() else 0.0
    rate = rate_interval(bad, int(during.sum()), settings.level)
    return bounded(rate.estimate - before, max(0.0, rate.low - before), rate.high - before, settings.level)


def _quiet(
    found: Levels, stretch: Stretch, own: Sequence[Span], everywhere: Sequence[Span], settings: AnalysisSettings
) -> tuple[Bools, tuple[Span, ...]]:
    """Give the quiet rows before a stretch, and the spans left out of them.

    Time in which any access was slow is left out, unless that leaves too little: then only what was
    slow here is.
    """
    nothing = np.zeros(len(found.series), dtype=bool)
    for spans, least in ((everywhere, settings.baseline_runs), (own, LEAST_QUIET)):
        rows = _outside(found.series, stretch.first, spans)
        if rows.sum() >= least:
            kept = np.flatnonzero(rows)[-settings.baseline_recent_runs :]
            quiet = nothing.copy()
            quiet[kept] = True
            begin, end = moment(found.series.slots[kept[0]]), moment(found.series.slots[stretch.first])
            inside = sorted({(max(s, begin), min(e, end)) for s, e in spans if e >= begin and s < end})
            return quiet, tuple(inside)
    return nothing, ()


def _outside(series: Series, first: int, spans: Sequence[Span]) -> Bools:
    rows = (np.arange(len(series)) < first) & series.timed
    for start, end in set(spans):
        rows &= ~((series.slots >= stamp(start)) & (series.slots <= stamp(end)))
    return np.asarray(rows)


def _band_at(found: Levels, stretch: Stretch, quiet: Bools) -> Band | None:
    if found.against is not Reference.EXPECTED or found.band is None:
        return found.band
    if found.band.rung.value.startswith("hour") or not quiet.any():
        return found.band
    learned = pooled(found.series.seconds[quiet], found.series.censored[quiet].astype(float), rung=found.band.rung)
    mid = float(
        found.mid[stretch.first : stretch.last + 1][~np.isnan(found.mid[stretch.first : stretch.last + 1])][:1].sum()
    )
    return replace(learned, mid=mid, low=min(learned.low, mid), high=max(learned.high, mid)) if mid else learned
