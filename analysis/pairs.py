"""The same step from two accesses at the same times."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.counting import RULES
from analysis.episode import Episode
from analysis.parts import PARTS, Runs, Sides, mean, sides
from analysis.statistics import SEED, Floats, trimmed_means
from analysis.window import Window
from collector.model.access import Link, Population, Presentation

LEAST_PAIRS = 3
LEAST_QUIET = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Excess per part over each access's own quiet time, in paired runs; draws resample the pairs.

    ``own`` and ``other`` are vectors over PARTS, the draws RESAMPLES × PARTS.
    """

    population: Population
    own: Floats
    other: Floats
    own_draws: Floats
    other_draws: Floats
    count: int


def others(window: Window, episode: Episode) -> list[Population]:
    """Name the other accesses the step was walked from, in order."""
    steps = window.steps
    same = (steps["step"] == episode.step) & (steps["journey"] == episode.journey) & (steps["site"] == episode.site)
    same &= steps["environment"] == episode.environment
    found = steps.loc[same, ["link", "presentation"]].drop_duplicates().itertuples(index=False)
    populations = {Population(link=Link(link), presentation=Presentation(shown)) for link, shown in found}
    return sorted(populations - {episode.population})


def paired(window: Window, episode: Episode, mine: Sides, population: Population) -> Pairs | None:
    """Pair the runs of both accesses; None with fewer than 3 pairs or no quiet time."""
    theirs = sides(window, episode, population)
    if min(len(mine.quiet), len(theirs.quiet)) < LEAST_QUIET or not len(theirs.during) or not len(mine.during):
        return None
    joined = _joined(mine.during, theirs.during)
    if len(joined) < LEAST_PAIRS:
        return None
    generator = np.random.default_rng(SEED)
    both = np.hstack([mine.during.parts[joined[:, 0]], theirs.during.parts[joined[:, 1]]])
    durations = mine.during.seconds[joined[:, 0]]
    now, now_draws = trimmed_means(both, durations, RULES.trimmed, generator)
    before, before_draws = mean(mine.quiet, generator)
    their_before, their_draws = mean(theirs.quiet, generator)
    size = len(PARTS)
    return Pairs(
        population=population,
        own=now[:size] - before,
        other=now[size:] - their_before,
        own_draws=now_draws[:, :size] - before_draws,
        other_draws=now_draws[:, size:] - their_draws,
        count=len(joined),
    )


def columns(*parts: str) -> list[int]:
    """Give where parts stand in the vectors."""
    return [PARTS.index(part) for part in parts]


def _joined(mine: Runs, theirs: Runs) -> npt.NDArray[np.intp]:
    """Pair each run with the nearest one of the other access, within one and a half intervals."""
    slots, their_slots = mine.slots, theirs.slots
    gaps = np.diff(np.unique(slots)).astype(float)
    reach = 1.5 * float(np.median(gaps)) if len(gaps) else 0.0
    right = np.clip(np.searchsorted(their_slots, slots), 1, max(1, len(their_slots) - 1))
    before = np.abs((slots - their_slots[right - 1]).astype(float))
    after = np.abs((their_slots[np.minimum(right, len(their_slots) - 1)] - slots).astype(float))
    nearest = np.where(before <= after, right - 1, np.minimum(right, len(their_slots) - 1))
    close = np.minimum(before, after) <= reach
    return np.column_stack([np.arange(len(slots))[close], nearest[close]])
