"""Who else uses what an environment stands on, by the map of the estate: were they active beside its slow runs?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from analysis.episode import Episode
from analysis.series import Bools, Times, stamp
from analysis.statistics import Floats, interval, median_draws
from analysis.window import Window
from collector.model.estate import Component, Estate
from collector.model.run import MEASURED
from collector.model.verdict import Interval, LayerVerdict

LEAST_RUNS = 12  # with and without activity, for a contrast
BESIDE = timedelta(seconds=30)  # a run so near to one of another environment was made beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class Contention:
    """Runs of the ``others`` beside an episode, and the step's seconds with and without one of them near.

    ``shared`` are the components both use. ``active`` counts the others' runs in the episode's time. ``more`` is the
    median with them minus that without, None where either side has fewer than LEAST_RUNS runs.
    """

    shared: Sequence[Component]
    others: Sequence[str]
    active: int
    beside: Floats
    apart: Floats
    more: Interval | None


def contended(window: Window, episode: Episode, *, level: float) -> Contention | None:
    """Hold an episode against the activity of who shares its components; None where the map knows of nobody."""
    sharing = _sharing(window.estate, episode)
    if not sharing:
        return None
    others = sorted({other for environments in sharing.values() for other in environments})
    steps = window.steps
    foreign = steps[(steps["site"] == episode.site) & steps["environment"].isin(others)]
    begins, ends = _spans(foreign)
    slots, seconds = _timed(steps, episode)
    near = _near(slots, begins, ends)
    beside, apart = seconds[near], seconds[~near]
    enough = min(len(beside), len(apart)) >= LEAST_RUNS
    assert window.estate is not None
    return Contention(
        shared=[one for one in window.estate.components if one.name in sharing],
        others=others,
        active=int(((ends >= stamp(episode.start)) & (begins <= stamp(episode.end))).sum()),
        beside=beside,
        apart=apart,
        more=_difference(beside, apart, level) if enough else None,
    )


def unsettled(window: Window, episode: Episode) -> Sequence[str]:
    """Note that something is shared, where nothing can be said of whether that matters."""
    found = contended(window, episode, level=0.9)
    if found is None or (found.active and found.more is not None):
        return ()
    shared = ", ".join(one.name for one in found.shared)
    who = " and ".join(found.others)
    if not found.active:
        return (f"{who} shares {shared} with {episode.environment}, and no run of it was seen in this time",)
    counts = f"{len(found.beside)} runs beside its runs and {len(found.apart)} apart from them"
    needed = f"{counts}; {LEAST_RUNS} of each are needed"
    made = f"{who} shares {shared} with {episode.environment} and made {found.active} runs in this time"
    return (f"{made}: not enough evidence of whether that matters ({needed})",)


def of_others(estate: Estate | None, episode: Episode, names: Iterable[str]) -> set[str]:
    """Give those of ``names`` that are of components, or parts of some, that only other environments use."""
    if estate is None:
        return set()
    used, mine = estate.used_by(episode.start), episode.environment
    mapped = ((name, estate.component(name)) for name in names)
    return {name for name, one in mapped if one is not None and used[one.name] and mine not in used[one.name]}


def supplied(layers: Sequence[LayerVerdict], estate: Estate | None, episode: Episode) -> tuple[LayerVerdict, ...]:
    """Say of each layer who answered for it when the episode began."""
    if estate is None:
        return tuple(layers)
    mine, at = episode.environment, episode.start
    return tuple(
        replace(one, supplier=estate.supplier(one.layer, one.component, environment=mine, at=at)) for one in layers
    )


def _sharing(estate: Estate | None, episode: Episode) -> Mapping[str, frozenset[str]]:
    if estate is None:
        return {}
    mine = episode.environment
    return {name: users - {mine} for name, users in estate.shared(episode.start).items() if mine in users}


def _spans(steps: pd.DataFrame) -> tuple[Times, Times]:
    """Give begin and end of each run, by begin."""
    runs = steps.groupby("run_id", sort=False).agg(slot=("slot", "min"), seconds=("seconds", "sum"))
    runs = runs.sort_values("slot", kind="stable")
    begins = runs["slot"].to_numpy(dtype="datetime64[us]")
    return begins, begins + (runs["seconds"].to_numpy(dtype=float) * 1e6).astype("timedelta64[us]")


def _timed(steps: pd.DataFrame, episode: Episode) -> tuple[Times, Floats]:
    """Give slots and seconds of the episode's step as its access measured them, to the episode's end."""
    mine = (steps["site"] == episode.site) & (steps["journey"] == episode.journey) & (steps["step"] == episode.step)
    mine &= (steps["link"] == str(episode.population.link)) & (steps["environment"] == episode.environment)
    mine &= steps["presentation"] == str(episode.population.presentation)
    mine &= steps["outcome"].isin([str(outcome) for outcome in MEASURED]) & (steps["slot"] <= stamp(episode.end))
    rows = steps[mine]
    return rows["slot"].to_numpy(dtype="datetime64[us]"), rows["seconds"].to_numpy(dtype=float)


def _near(slots: Times, begins: Times, ends: Times) -> Bools:
    """Say of each slot whether a span begins before BESIDE after it and ends after BESIDE before it."""
    if len(begins) == 0:
        return np.zeros(len(slots), dtype=bool)
    margin = np.timedelta64(BESIDE)
    latest = np.maximum.accumulate(ends)
    last = np.searchsorted(begins, slots + margin, side="right") - 1
    return np.asarray((last >= 0) & (latest[np.maximum(last, 0)] >= slots - margin))


def _difference(beside: Floats, apart: Floats, level: float) -> Interval:
    """Give the difference of medians; draws of the two are put together crosswise, or their errors would cancel."""
    estimate = float(np.median(beside) - np.median(apart))
    return interval(estimate, median_draws(beside) - median_draws(apart)[::-1], level)
