"""The step, the metrics that moved, their neighbours and the number of people, per interval around an episode.

An interval is as long as that between runs, or between samples of the metric that is sampled least often; of a long
time at most MOST intervals are made. Times are seconds since the episode's start. What was not heard in an interval is
as the interval before, twice at most, and then as in quiet time.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from analysis.association import scaled
from analysis.counting import RULES
from analysis.episode import Episode
from analysis.nearby import Grouping, Moved, Nearby
from analysis.onset import Track
from analysis.series import Bools, Times, stamp
from analysis.statistics import Floats
from analysis.window import Window
from collector.model.catalogue import CATALOGUE
from collector.model.metric import Direction
from collector.model.verdict import Status

MOST = 240
BEFORE, BEHIND = 150, 60  # intervals before the episode and after it
AROUND = (-1, 0, 1)  # intervals at the onset, where a jump a little earlier or later is no course
LEAST_WITHIN = 12
CARRIED = 2
HEARD = 0.7  # of the intervals, or a metric has no course


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """Rows of one value per interval, in units of their own shift: the ``step`` (one row), ``metrics``, ``unrelated``
    and ``demand``; ``onset`` is the interval in which the episode begins.
    """

    step: Floats
    metrics: Floats
    unrelated: Floats
    demand: Floats
    onset: int

    @property
    def jump(self) -> Floats:
        """Give the rows that are known beforehand: later than the onset or not, and the intervals around it."""
        places = np.arange(len(self.step))
        around = [places == self.onset + beside for beside in AROUND]
        return np.array([places >= self.onset, *around], dtype=float)

    @property
    def within(self) -> "Courses":
        """Give what came after the onset: where a course, shifted in time, meets no other level."""
        first = self.onset + AROUND[-1] + 1
        return Courses(
            step=self.step[first:],
            metrics=self.metrics[:, first:],
            unrelated=self.unrelated[:, first:],
            demand=self.demand[:, first:],
            onset=0,
        )

    @property
    def varied(self) -> bool:
        """Say whether the step went up and down, in more than single runs."""
        left = self.step - self.step.mean() if len(self.step) else self.step
        if len(left) < LEAST_WITHIN or float(left @ left) == 0.0:
            return False
        return bool(left[:-1] @ left[1:] / (left @ left) > 0.1 + 2.0 / math.sqrt(len(left)))


def step_track(window: Window, episode: Episode) -> Track | None:
    """Give the runs of the episode's step: seconds, or 0 and 1 where it fails. None where they do not say."""
    at, seconds, outcome = _runs(window, episode)
    failing = episode.status is Status.FAILING
    bad: Floats = outcome.isin([str(one) for one in RULES.bad]).to_numpy(dtype=bool).astype(float)
    known = ~outcome.isin([str(one) for one in RULES.left_out]).to_numpy(dtype=bool) & (failing | ~np.isnan(seconds))
    at, values, level, more = at[known], (bad if failing else seconds)[known], 0.0, 1.0
    if not failing:
        calm = values[_quiet(at, episode)]
        level = float(np.median(calm)) if len(calm) else np.nan
        more = episode.excess_seconds.estimate if episode.excess_seconds else 0.0
    order = np.argsort(at, kind="stable")
    gaps = np.diff(np.unique(at))
    if np.isnan(level) or more <= 0.0 or len(gaps) == 0:
        return None
    during, interval = level + more, float(np.median(gaps))
    return Track(at=at[order], values=values[order], quiet=level, during=during, edge=during, interval=interval)


def _runs(window: Window, episode: Episode) -> tuple[Floats, Floats, "pd.Series[str]"]:
    """Give slot, seconds (NaN where nothing was timed) and outcome of the step as the episode's access walked it."""
    steps, who = window.steps, episode.population
    mine = (steps["step"] == episode.step).to_numpy(dtype=bool)
    words = {"journey": episode.journey, "site": episode.site, "environment": episode.environment}
    for column, word in {**words, "link": str(who.link), "presentation": str(who.presentation)}.items():
        mine = mine & (steps[column] == word).to_numpy(dtype=bool)
    rows = np.flatnonzero(mine)
    seconds = steps["seconds"].to_numpy(dtype=float, na_value=np.nan)[rows]
    return _since(steps["slot"].to_numpy(dtype="datetime64[us]")[rows], episode), seconds, steps["outcome"].take(rows)


def _quiet(at: Floats, episode: Episode) -> Bools:
    """Say which times lie in the quiet time before the episode."""
    if episode.baseline_start is None or episode.baseline_end is None:
        return np.zeros(len(at), dtype=bool)

    def since(moment: datetime) -> float:
        return (moment - episode.start).total_seconds()

    found = (at >= since(episode.baseline_start)) & (at < since(episode.baseline_end))
    for start, end in episode.excluded:
        found &= ~((at >= since(start)) & (at <= since(end)))
    return np.asarray(found)


def metric_track(near: Nearby, one: Moved, episode: Episode) -> Track | None:
    """Give the samples of a metric, turned so that larger is worse. None without quiet time or with a single one."""
    at, values = _samples(near.related, one.group, episode)
    gaps = np.diff(np.unique(at))
    if one.before is None or one.edge is None or len(gaps) == 0:
        return None
    return Track(
        at=at,
        values=one.sign * values,
        quiet=one.sign * one.before,
        during=one.sign * one.during,
        edge=one.sign * one.edge,
        interval=float(np.median(gaps)),
    )


def courses(window: Window, episode: Episode, step: Track, metrics: Sequence[Track], near: Nearby) -> Courses:
    """Cut the time around the episode into intervals and give everything per interval."""
    width = max(step.interval, *(metric.interval for metric in metrics))
    lasted = (episode.end - episode.start).total_seconds()
    first = -min(max(BEFORE * width, lasted), -float(min(step.at[0], -width)))
    last = min((window.end - episode.start).total_seconds(), lasted + BEHIND * width)
    width = max(width, (last - first) / MOST)
    edges = np.arange(-np.floor(-first / width), np.ceil(last / width) + 1) * width  # one begins with the episode
    rows = [_course(metric, edges) for metric in metrics]
    return Courses(
        step=_course(step, edges),
        metrics=np.array(rows).reshape(len(rows), len(edges) - 1),
        unrelated=_spread(near.unrelated, episode, edges),
        demand=_spread(near.demand, episode, edges),
        onset=int(np.searchsorted(edges, 0.0)),
    )


def _course(track: Track, edges: Floats) -> Floats:
    return scaled(_filled(_means(track.at, track.values, edges), track.quiet), track.quiet, track.during)


def _spread(found: Grouping, episode: Episode, edges: Floats) -> Floats:
    """Give the courses of metrics whose shift is not known, in units of the spread of their middle nine tenths."""
    return np.array([*_spreads(found, episode, edges)]).reshape(-1, len(edges) - 1)


def _spreads(found: Grouping, episode: Episode, edges: Floats) -> Iterator[Floats]:
    names = found.rows["metric"].take(found.begins).astype(str)
    for group, name in enumerate(names):
        at, values = _samples(found, group, episode)
        means = _means(at, values, edges)
        known = means[~np.isnan(means)]
        if len(known) < HEARD * len(means):
            continue
        low, middle, high = np.quantile(known, [0.05, 0.5, 0.95])
        sign = -1.0 if CATALOGUE[name].direction is Direction.DOWN else 1.0
        if high > low:
            yield sign * np.clip((_filled(means, middle) - middle) / (high - low), -2.0, 2.0)


def _samples(found: Grouping, group: int, episode: Episode) -> tuple[Floats, Floats]:
    ends = np.append(found.begins[1:], len(found.rows))
    rows = slice(int(found.begins[group]), int(ends[group]))
    at = _since(found.rows["at"].to_numpy(dtype="datetime64[us]")[rows], episode)
    values = found.rows["value"].to_numpy(dtype=float)[rows]
    order = np.argsort(at, kind="stable")
    return at[order], values[order]


def _since(times: Times, episode: Episode) -> Floats:
    return np.asarray((times - stamp(episode.start)) / np.timedelta64(1, "s"))


def _means(at: Floats, values: Floats, edges: Floats) -> Floats:
    """Give the mean of each interval, NaN where there is none."""
    count = len(edges) - 1
    place = np.searchsorted(edges, at, side="right") - 1
    inside: Bools = (place >= 0) & (place < count)
    sums = np.bincount(place[inside], values[inside], count)
    counts = np.bincount(place[inside], minlength=count)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))


def _filled(means: Floats, otherwise: float) -> Floats:
    places = np.arange(len(means))
    last = np.maximum.accumulate(np.where(np.isnan(means), -1, places))
    known = (last >= 0) & (places - last <= CARRIED)
    return np.where(known, means[np.maximum(last, 0)], otherwise)
