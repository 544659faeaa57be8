"""Quiet months of one council: every step from every access, nobody at fault, and users who come and go.

A month is walked once. ``looks`` gives the windows a regular analysis would have read in it, one an hour instead of
one a minute: each holds the hour before and six hours of single runs, and the roll-up of four weeks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from analysis.truth.facts import hourly_of
from analysis.truth.rows import steps_table
from analysis.truth.telemetry import samples_table
from analysis.truth.walk import walk
from analysis.truth.world import START, WIFI, WIRED, Load, Missing, World
from analysis.window import Window
from collector.model.access import Link, Population, Presentation
from collector.tables import SAMPLES, naive

WEEKS = timedelta(weeks=4)
BACK = timedelta(hours=6)
HOUR = timedelta(hours=1)
CITRIX = tuple(Population(link=link, presentation=Presentation.CITRIX) for link in (Link.WIRED, Link.WIFI))


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A world of four weeks and ``days``, all of its step rows, and its roll-up."""

    world: World
    days: int
    steps: pd.DataFrame
    hourly: pd.DataFrame

    def looks(self) -> Iterator[Window]:
        """Give the windows of the last ``days``, an hour each, without samples."""
        first = self.world.begin + WEEKS
        for number in range(24 * self.days):
            yield self.look(first + number * HOUR, first + (number + 1) * HOUR)

    def look(self, start: datetime, end: datetime) -> Window:
        """Give one window without samples."""
        since = max(self.world.begin, end - BACK)
        return Window(
            start=start,
            end=end,
            history_start=since,
            snapshot=1,
            steps=_between(self.steps, "slot", since, end),
            mixed=self.steps.iloc[:0],
            samples=SAMPLES.empty_table().to_pandas(),
            hourly=_between(self.hourly, "hour", start - WEEKS, end),
            changes=(),
            digest="",
        )

    def sampled(self, window: Window) -> Window:
        """Give a window of the month with the samples of its time and the hour before."""
        begin, end = (float((at - self.world.begin).total_seconds()) for at in (window.start - HOUR, window.end))
        world = replace(self.world, sampled_from=begin, seconds=end, sample_every=60.0)
        return replace(window, samples=samples_table(world).to_pandas())


def quiet_month(seed: int, days: int = 30) -> Month:
    """Draw a council in which nothing is slow but what users, chance and growth make of it."""
    draw = np.random.default_rng([seed, 2])
    seconds = WEEKS.total_seconds() + days * 86_400.0
    season, day = float(draw.uniform(0, 0.5)), float(draw.uniform(0, 0.15))
    world = World(
        begin=START - HOUR * START.hour,
        populations=(WIRED, WIFI, *CITRIX),
        seed=seed,
        seconds=seconds,
        every=300.0,
        timeout=1e6,
        missing=Missing(runs=float(draw.uniform(0, 0.05))),
        drift=0.0,
        jitter=float(draw.uniform(0.1, 0.45)),
        tail=float(draw.uniform(1.5, 3.0)) if draw.random() < 0.5 else None,
        wander=float(draw.uniform(0.0, 0.12)),
        load=Load(season=season, weekend=0.3, day=day, growth=float(draw.uniform(-0.1, 0.3))),
        length=float(np.exp(draw.uniform(np.log(5), np.log(100)))),
        stalls=tuple(draw.uniform(0, seconds, int(seconds / 7200))),  # one in two hours, of ten seconds
    )
    at = np.arange(0.0, seconds, world.every)
    steps = steps_table(world, at).to_pandas()
    for name in ("site", "endpoint", "link", "presentation", "journey", "journey_hash", "environment", "step"):
        steps[name] = steps[name].astype("category")
    return Month(world=world, days=days, steps=steps, hourly=hourly_of(world, walk(world, at), at))


def _between(rows: pd.DataFrame, column: str, start: datetime, end: datetime) -> pd.DataFrame:
    """Give the rows of ``start <= column < end`` of a frame that is in the order of this column."""
    times = rows[column].to_numpy(dtype="datetime64[us]")
    first, last = (int(np.searchsorted(times, np.datetime64(naive(at), "us"))) for at in (start, end))
    return rows.iloc[first:last].reset_index(drop=True)
