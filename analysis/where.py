"""Which runs of a verdict's step are the bad ones, by the attributes that runs carry."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.episode import Episode
from analysis.episodes import Judgement
from analysis.locate import Location, Runs, locate, simplest
from analysis.parts import quiet
from analysis.series import Bools, Rows, stamp
from analysis.statistics import Floats
from analysis.window import Window
from collector.model.verdict import Where

# What runs differ by, what says most to a person first: of attributes that go together the first is named.
ATTRIBUTES = ("site", "link", "presentation", "environment", "release", "endpoint")
UNKNOWN = "not known"


def troubled(window: Window, judged: Sequence[Judgement]) -> Floats:
    """Say of each row of ``window.steps`` whether it was slow or bad: 1 or 0, NaN where it was held against nothing."""
    found = np.full(len(window.steps), np.nan)
    for one in judged:
        series = one.levels.series
        over = series.bad | (series.seconds > one.levels.threshold)
        known = series.bad | ~np.isnan(one.levels.threshold)
        found[series.places[known]] = over[known]
    return found


def where(window: Window, trouble: Floats, episode: Episode) -> Where | None:
    """Name the runs of the step that were bad in the episode's time, of any site and access; None when none stand out.

    ``trouble`` is of each row of ``window.steps``. The set must hold the episode's own runs.
    """
    steps = window.steps
    mine = (steps["journey"] == episode.journey) & (steps["step"] == episode.step)
    rows = np.flatnonzero(mine.to_numpy(dtype=bool) & ~np.isnan(trouble))
    slots = steps["slot"].iloc[rows]
    inside = ((slots >= stamp(episode.start)) & (slots <= stamp(episode.end))).to_numpy(dtype=bool)
    counted = inside | quiet(slots, episode).to_numpy(dtype=bool)
    runs, words = _runs(steps, rows[counted], ~inside[counted], trouble)
    for location in locate(runs):
        attributes = {ATTRIBUTES[a]: words[a][value] for a, value in simplest(runs, location)}
        if location.named and UNKNOWN not in attributes.values() and _holds(attributes, episode):
            return _where(attributes, location, runs)
    return None


def _runs(steps: pd.DataFrame, rows: Rows, before: Bools, trouble: Floats) -> tuple[Runs, list[list[str]]]:
    """Count the rows by their attributes; give the words of each attribute's values too."""
    coded, words = [], []
    for name in ATTRIBUTES:
        numbers, known = pd.factorize(steps[name].iloc[rows], sort=True)
        coded.append(numbers + 1)
        words.append([UNKNOWN, *(str(word) for word in known)])
    each = np.column_stack([*coded, before.astype(np.intp)])
    kinds, place = np.unique(each, axis=0, return_inverse=True)
    count = np.bincount(place, minlength=len(kinds)).astype(float)
    bad = np.bincount(place, weights=trouble[rows], minlength=len(kinds)).astype(float)
    return Runs(values=kinds[:, :-1], before=kinds[:, -1], bad=bad, runs=count), words


def _holds(attributes: dict[str, str], episode: Episode) -> bool:
    own = {
        "site": episode.site,
        "link": str(episode.population.link),
        "presentation": str(episode.population.presentation),
        "environment": episode.environment,
    }
    return all(own.get(name, value) == value for name, value in attributes.items())


def _where(attributes: dict[str, str], location: Location, runs: Runs) -> Where:
    during = runs.before == 0
    return Where(
        attributes=attributes,
        bad=round(location.bad),
        runs=round(location.runs),
        bad_elsewhere=round(runs.bad[during].sum() - location.bad),
        runs_elsewhere=round(runs.runs[during].sum() - location.runs),
    )
