"""Draws a world of one or two culprits from a seed: their shares, the noise, the innocents, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import numpy as np

from analysis.truth.causes import BY_CHANCE, CAUSES, SAME_ACCOUNT, USERS, Cause, Draw
from analysis.truth.truth import Truth
from analysis.truth.world import QUIET, START, VNC, WIFI, Fault, Load, Metrics, Missing, World
from collector.model.layer import Layer

HOUR = 3600.0
LOST = (0.1, 0.04, 0.04, 0.1)  # at most, of runs, their phases, the server's account, and samples
WALKED = 3  # steps of the journey: more cost time and tell nothing else
_Thing = TypeVar("_Thing")
TWO = 0.45  # share of worlds with two culprits
LOADED: Metrics = {
    ("app-1", "system.cpu.utilization"): 0.15,
    ("app-1", "process.cpu.utilization"): 0.2,
    ("app-1", "system.memory.available"): -1e9,
    ("db-1", "db.busy"): 0.03,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is probed and sampled, in seconds, how long is looked back, and how many runs a fault lasts."""

    every: float
    sample_every: float
    seconds: float
    runs: tuple[int, int]
    history_days: int
    clocks: float  # seconds that clocks may differ


LAB = Pace(every=5.0, sample_every=5.0, seconds=1500.0, runs=(24, 150), history_days=0, clocks=3.0)
USE = Pace(every=300.0, sample_every=60.0, seconds=6.25 * HOUR, runs=(12, 36), history_days=28, clocks=30.0)
PACES: Mapping[str, Pace] = {"a run every 5 s": LAB, "a run every 5 min": USE}


def separable(seed: int, pace: Pace) -> Truth:
    """Draw a world in which the facts tell the culprits apart."""
    draw = np.random.default_rng([seed, int(pace.every)])
    first = _one(draw, list(CAUSES))
    layers = [first]
    if draw.random() < TWO:
        layers.append(_one(draw, [layer for layer in CAUSES if not _alike(layer, first)]))
    world = _world(seed, pace, draw)
    strength = _strength(world, draw)
    cut = draw.uniform(0.25, 0.75) if len(layers) == 2 else 1.0
    seconds = [strength * share for share in (cut, 1 - cut)[: len(layers)]]
    causes = [CAUSES[layer](told, draw) for layer, told in zip(layers, seconds, strict=True)]
    untold = float(draw.uniform(0.1, 0.4)) if draw.random() < 0.4 else 0.0
    faults = _faults(world, causes, [told * (1 - untold) for told in seconds], untold * strength, draw)
    innocents = [layer for layer, _ in BY_CHANCE if not any(_alike(layer, one) for one in layers)]
    return _with_innocents(replace(world, faults=faults), innocents, draw)


def inseparable(seed: int, pace: Pace) -> Truth:
    """Draw a world of one culprit that the facts do not tell from another layer."""
    draw = np.random.default_rng([seed, int(pace.every), 1])
    world = _world(seed, pace, draw)
    kinds = (_one_access, _no_storage, _no_account, _no_host, _session_alone, _two_rose)
    world, layer, pair, also = kinds[draw.integers(len(kinds))](world, draw)
    strength = _strength(world, draw)
    cause = CAUSES[layer](strength, draw)
    if layer is Layer.ACCESS_NETWORK and world.populations[0] not in cause.populations:
        cause = replace(cause, populations=(world.populations[0],))
    cause = replace(cause, shifts={**cause.shifts, **also})
    faults = _faults(world, [cause], [strength], 0.0, draw)
    return Truth(world=replace(world, faults=faults), inseparable=frozenset(pair))


_Made = tuple[World, Layer, tuple[Layer, Layer], Metrics]


def _one_access(world: World, draw: Draw) -> _Made:
    pair = (Layer.ACCESS_NETWORK, Layer.NETWORK_CORE)
    return replace(world, populations=(WIFI,)), _one(draw, pair), pair, {}


def _no_storage(world: World, draw: Draw) -> _Made:
    left = {key: value for key, value in world.metrics.items() if key[0] != "lun-1" and "wal" not in key[1]}
    pair = (Layer.DATABASE, Layer.STORAGE)
    return replace(world, metrics=left), _one(draw, pair), pair, {}


def _no_account(world: World, draw: Draw) -> _Made:
    pair = (Layer.APPLICATION, Layer.DATABASE)
    return replace(world, server_timing=False), _one(draw, pair), pair, {}


def _no_host(world: World, draw: Draw) -> _Made:
    left = {key: value for key, value in world.metrics.items() if key[0] != "app-1"}
    pair = (Layer.APP_SERVER, Layer.APPLICATION)
    return replace(world, metrics=left), _one(draw, pair), pair, {}


def _session_alone(world: World, _draw: Draw) -> _Made:
    pair = (Layer.ACCESS_NETWORK, Layer.REMOTE_SESSION)
    return replace(world, populations=(VNC, WIFI)), Layer.ACCESS_NETWORK, pair, {}


def _two_rose(world: World, draw: Draw) -> _Made:
    """Let a second layer behind the same account rise at the same moment, as far as if it had been the culprit."""
    pair = (Layer.VIRTUALISATION, Layer.APP_SERVER)
    layer = _one(draw, pair)
    other = pair[1 - pair.index(layer)]
    return world, layer, pair, CAUSES[other](1.0, draw).shifts


def _one(draw: Draw, things: Sequence[_Thing]) -> _Thing:
    return things[int(draw.integers(len(things)))]


def _alike(one: Layer, other: Layer) -> bool:
    return one is other or any({one, other} <= account for account in SAME_ACCOUNT)


def _world(seed: int, pace: Pace, draw: Draw) -> World:
    """Draw everything but the culprits."""
    skewed = ("pc-wired-local", "pc-wifi-local", "pc-wired-vnc", "app-1", "db-1", "lun-1")
    gap = float(draw.uniform(0, 0.3 * pace.seconds))
    lost = [(gap, gap + 6 * pace.every)] if draw.random() < 0.3 else []
    runs, phases, account, samples = (float(draw.uniform(0, most)) for most in LOST)
    return World(
        begin=START + timedelta(minutes=int(draw.integers(-4 * 60, 4 * 60))),
        steps={name: QUIET[name] for name in draw.permutation(sorted(QUIET))[:WALKED].tolist()},
        seed=seed,
        seconds=pace.seconds,
        every=pace.every,
        sample_every=pace.sample_every,
        timeout=1e6,
        missing=Missing(spans=lost, runs=runs, phases=phases, account=account, samples=samples),
        drift=0.0,
        jitter=float(draw.uniform(0.1, 0.45)),
        tail=float(draw.uniform(1.5, 3.0)) if draw.random() < 0.5 else None,
        wander=float(draw.uniform(0.0, 0.12)),
        load=Load(
            season=float(draw.uniform(0, 0.4)),
            weekend=0.3,
            day=0.1,
            growth=float(draw.uniform(-0.1, 0.3)),
            moved=LOADED,
        ),
        length=float(np.exp(draw.uniform(0, np.log(40)))),
        skew={name: float(draw.uniform(-pace.clocks, pace.clocks)) for name in skewed},
    )


def _strength(world: World, draw: Draw) -> float:
    """Give the seconds the culprits add together: enough to be a nuisance, from half to twice a step's usual."""
    usual = world.length * max(sum(phases.values()) for phases in QUIET.values())
    return float(draw.uniform(0.5, 2.0) * max(0.5, usual))


def _faults(
    world: World, causes: Sequence[Cause], seconds: Sequence[float], untold: float, draw: Draw
) -> tuple[Fault, ...]:
    """Let the causes begin together in one step and last to the end; what nothing measures goes with the first."""
    pace = next(one for one in PACES.values() if one.every == world.every)
    steps = [_one(draw, list(world.steps))]
    start = world.seconds - float(draw.integers(*pace.runs)) * world.every - 1.0
    hit = 1.0 if draw.random() < 0.6 else 0.8
    return tuple(
        Fault(
            layer=cause.layer,
            seconds={phase: share * told for phase, share in cause.phases.items()},
            untold=0.0 if place else untold,
            steps=steps,
            populations=[p for p in cause.populations if p in world.populations],
            shifts=cause.shifts,
            release=cause.release,
            hit=hit,
            start=start,
        )
        for place, (cause, told) in enumerate(zip(causes, seconds, strict=True))
    )


def _with_innocents(world: World, near: Sequence[Layer], draw: Draw) -> Truth:
    """Let users come, or a metric of a layer rise by chance, just when the fault begins; and time limits cut in."""
    guilty, start = {fault.layer for fault in world.faults}, world.faults[0].start
    shifts: dict[tuple[str, str], float] = {}
    rose: set[Layer] = set()
    if draw.random() < 0.3:
        shifts.update(USERS)
        rose |= {Layer.APP_SERVER, Layer.DATABASE}
    if draw.random() < 0.3 and near:
        layer = _one(draw, near)
        shifts.update(next(metrics for one, metrics in BY_CHANCE if one is layer))
        rose.add(layer)
    faults = (*world.faults, Fault(shifts=shifts, start=start, populations=())) if shifts else world.faults
    limit = world.timeout
    if draw.random() < 0.2:
        usual = world.length * max(sum(phases.values()) for phases in QUIET.values())
        limit = float(draw.uniform(1.2, 2.0) * (usual + sum(sum(f.seconds.values()) + f.untold for f in world.faults)))
    world = replace(world, faults=faults, timeout=limit, sampled_from=max(0.0, start - HOUR))
    return Truth(world=world, rose=frozenset(rose - guilty))
