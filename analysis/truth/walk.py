"""Walks a simulated world: its step rows as columns, all runs at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats
from analysis.truth.levels import levels
from analysis.truth.world import Fault, World, endpoint_of
from collector.model.run import Outcome, Phase

HICCUP = 0.05  # share of runs that take far longer
SCATTER = 0.3  # sigma of what a fault adds
_MOST = 60.0  # a run of a heavy tail takes so many times the usual at most
_SERVER = "server_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Runs of one step from one access, in the order of their slots; seconds are NaN where nothing was timed."""

    seconds: Floats
    outcome: npt.NDArray[np.object_]
    phases: Mapping[Phase, Floats]
    fault: npt.NDArray[np.int64]  # which fault made it fail, -1 for none


def hash_of(text: str) -> int:
    """Give the same number for the same text on every machine."""
    return int.from_bytes(sha256(text.encode()).digest()[:7])


def walk(world: World, at: Floats) -> list[list[Walked]]:
    """Walk the world at these times: by access, then by step."""
    noise = np.random.default_rng(world.seed)
    found = []
    for population, level in zip(world.populations, levels(world, at, noise), strict=True):
        real = at - world.skew.get(endpoint_of(population), 0.0)
        active = [(place, fault) for place, fault in enumerate(world.faults) if population in fault.populations]
        found.append([_step(world, step, real, level, active, noise) for step in world.steps])
    return found


def _step(
    world: World, step: str, at: Floats, level: Floats, active: Sequence[tuple[int, Fault]], noise: np.random.Generator
) -> Walked:
    count = len(at)
    hiccup = _hiccups(world, count, noise)
    usual = world.length * level * hiccup
    quiet = world.steps[step]
    phases = {p: s * usual * noise.lognormal(0, world.jitter, count) for p, s in quiet.items()}
    wait = 0.001 * hiccup * noise.lognormal(0, SCATTER, count) + _stalled(world, at)
    untold, failed = np.zeros(count), np.full(count, -1)
    for place, fault in active:
        if step not in fault.steps:
            continue
        hit = (at >= fault.start) & (at < fault.end) & (noise.random(count) <= fault.hit)
        for phase, seconds in fault.seconds.items():
            added = np.where(hit, seconds * noise.lognormal(0, SCATTER, count), 0.0)
            if phase is Phase.PROCESSING:
                wait = wait + added
            else:
                phases[phase] = phases.get(phase, np.zeros(count)) + added
        untold += np.where(hit, fault.untold * noise.lognormal(0, SCATTER, count), 0.0) if fault.untold else 0.0
        if fault.outcome is not Outcome.OK:
            failed[hit] = place
    account = sum((s for p, s in phases.items() if p.value.startswith(_SERVER)), np.zeros(count))
    phases = {p: np.where(s > 0, s, np.nan) for p, s in phases.items()} | {Phase.PROCESSING: wait + account}
    outside = [np.nan_to_num(s) for p, s in phases.items() if not p.value.startswith(_SERVER)]
    return _told(world, phases, untold + np.sum(outside, axis=0), failed, noise)


def _hiccups(world: World, count: int, noise: np.random.Generator) -> Floats:
    long = noise.random(count) < HICCUP
    if world.tail is None:
        return np.where(long, noise.uniform(2, 5, count), 1.0)
    return np.where(long, np.minimum(_MOST, 2 * (1 + noise.pareto(world.tail, count))), 1.0)


def _stalled(world: World, at: Floats) -> Floats:
    if not len(world.stalls):
        return np.zeros(len(at))
    begins = np.sort(np.asarray(world.stalls, dtype=float))
    last = np.searchsorted(begins, at, side="right") - 1
    left = begins[np.maximum(last, 0)] + world.stall - at
    return np.where((last >= 0) & (left > 0), left, 0.0)


def _told(
    world: World,
    phases: Mapping[Phase, Floats],
    total: Floats,
    failed: npt.NDArray[np.int64],
    noise: np.random.Generator,
) -> Walked:
    """Give what a probe tells of the runs: it gives up at its limit, an error is not timed, and phases get lost."""
    count = len(total)
    late = total > world.timeout
    bad = ~late & (failed >= 0)
    outcome = np.full(count, str(Outcome.OK), dtype=object)
    outcome[late] = str(Outcome.TIMEOUT)
    for place in np.unique(failed[bad]).tolist():
        outcome[bad & (failed == place)] = str(world.faults[place].outcome)
    untimed = late | bad | (noise.random(count) < world.missing.phases if world.missing.phases else False)
    unaccounted = untimed | (noise.random(count) < world.missing.account if world.missing.account else False)
    told = {
        phase: np.where(unaccounted if phase.value.startswith(_SERVER) else untimed, np.nan, seconds)
        for phase, seconds in phases.items()
        if world.server_timing or not phase.value.startswith(_SERVER)
    }
    seconds = np.where(bad, np.nan, np.minimum(total, world.timeout))
    return Walked(seconds=seconds, outcome=outcome, phases=told, fault=np.where(bad, failed, -1))
