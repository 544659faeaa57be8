"""How a simulated world breathes: load by hour, day and growth, and levels that wander and so make runs alike."""

import math
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats
from analysis.truth.world import World

DAY = 86_400.0


def load_at(world: World, at: Floats) -> Floats:
    """Give how busy the users are at these times, 0 for a quiet night and about 1 for a busy hour of a usual day."""
    load, begin = world.load, world.begin
    clock = at + begin.hour * 3600.0 + begin.minute * 60.0
    day = np.floor(clock / DAY).astype(np.int64)
    hour = (clock % DAY) / 3600.0
    shape = np.exp(-(((hour - 10.5) / 1.8) ** 2)) + 0.8 * np.exp(-(((hour - 15.0) / 1.8) ** 2))
    weekend = np.where((day + begin.weekday()) % 7 >= 5, load.weekend, 1.0)
    return np.asarray(shape * weekend * _days(world, day))


def _days(world: World, day: npt.NDArray[np.int64]) -> Floats:
    """Give each day's own factor; the same day has the same one, from wherever it is asked."""
    if not world.load.day or not len(day):
        return np.ones(len(day))
    first = int(day.min())
    factors = [
        np.random.default_rng([world.seed, 77, 40_000 + one]).normal() for one in range(first, int(day.max()) + 1)
    ]
    return np.asarray(np.exp(world.load.day * np.array(factors))[day - first])


def wandering(at: Floats, sigma: float, memory: float, noise: np.random.Generator) -> Floats:
    """Give a level around 1 that forgets where it was in ``memory`` seconds: the exponential of an AR(1) process."""
    if not sigma or not len(at):
        return np.ones(len(at))
    step = float(at[1] - at[0]) if len(at) > 1 else memory
    keep = math.exp(-step / memory)
    shocks = noise.normal(0.0, sigma * math.sqrt(1 - keep**2), len(at))
    shocks[0] = noise.normal(0.0, sigma)
    return np.asarray(np.exp(_remembered(shocks, keep)))


def _remembered(shocks: Floats, keep: float) -> Floats:
    """Give x with x[i] = keep * x[i - 1] + shocks[i]."""
    return np.fromiter(accumulate(shocks.tolist(), lambda before, shock: keep * before + shock), float, len(shocks))


def levels(world: World, at: Floats, noise: np.random.Generator) -> list[Floats]:
    """Give, for each access, how many times its usual a step takes at each slot, before the noise of single runs."""
    load = world.load
    shared = (1 + world.drift * np.sin(at / 2000)) * (1 + load.season * load_at(world, at))
    shared = shared * (1 + load.growth * at / (30 * DAY)) * wandering(at, world.wander, world.memory, noise)
    return [shared * wandering(at, 0.7 * world.wander, world.memory, noise) for _ in world.populations]
