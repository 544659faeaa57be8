"""Synthetic worlds with a known culprit. Everything here is generated: nothing was measured.

A world is a reference application walked from several accesses every few seconds; a fault adds
seconds to named phases of named steps of some accesses from its start on. The noise is that of a
small busy machine: log-normal jitter, one run in twenty 2 to 5 times as long, and slow drift.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.window import Window, digest, set_apart
from collector import tables
from collector.model.access import Access, Link, Population, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.rows import run_tables, sample_table

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WIRED = Population(link=Link.WIRED, presentation=Presentation.LOCAL)
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
VNC = Population(link=Link.WIRED, presentation=Presentation.VNC)
ALL = (WIRED, WIFI, VNC)

# Quiet seconds per phase of each step, as the reference application has them on a small machine.
QUIET: Mapping[str, Mapping[Phase, float]] = {
    "login": {Phase.CONNECT: 0.001, Phase.SERVER_APP: 0.02, Phase.SERVER_DB: 0.006, Phase.TRANSFER: 0.002},
    "search": {Phase.SERVER_APP: 0.006, Phase.SERVER_DB: 0.012, Phase.TRANSFER: 0.003},
    "open": {Phase.SERVER_APP: 0.005, Phase.SERVER_DB: 0.004, Phase.TRANSFER: 0.002},
    "save": {Phase.SERVER_APP: 0.005, Phase.SERVER_DB: 0.009, Phase.TRANSFER: 0.001},
    "print": {Phase.SERVER_APP: 0.04, Phase.SERVER_DB: 0.003, Phase.TRANSFER: 0.01},
}
METRICS: Mapping[tuple[str, str], float] = {
    ("app-1", "process.paging.faults.major"): 0.2,
    ("app-1", "process.cpu.utilization"): 0.1,
    ("app-1", "system.cpu.utilization"): 0.3,
    ("app-1", "system.cpu.steal"): 0.001,
    ("app-1", "system.memory.available"): 4e9,
    ("lun-1", "storage.write.latency"): 0.0015,
    ("lun-1", "system.disk.write.await"): 0.001,
    ("db-1", "db.wal.sync.latency"): 0.0012,
    ("db-1", "db.busy"): 0.02,
    ("db-1", "db.statement.longest"): 0.003,
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Adds ``seconds`` per phase to ``steps`` of ``populations`` and moves metrics by ``shifts``."""

    seconds: Mapping[Phase, float] = field(default_factory=dict)
    steps: Sequence[str] = tuple(QUIET)
    populations: Sequence[Population] = ALL
    shifts: Mapping[tuple[str, str], float] = field(default_factory=dict)
    hit: float = 1.0  # share of the runs it reaches
    moments: float = 1.0  # share of the samples it shifts
    untold: float = 0.0  # seconds that no phase covers
    outcome: Outcome = Outcome.OK
    http_status: int | None = None
    error_kind: str | None = None
    release: str | None = None
    start: float = 600.0  # seconds after the world begins
    end: float = 1e9


@dataclass(frozen=True, kw_only=True)
class World:
    """What the generator is asked for."""

    faults: Sequence[Fault] = ()
    populations: Sequence[Population] = ALL
    seconds: float = 720.0
    every: float = 5.0
    seed: int = 1
    server_timing: bool = True
    sampled: bool = True
    target: float | None = None
    timeout: float = 10.0
    missing: Callable[[Population, float], bool] = lambda _population, _at: False
    drift: float = 0.25
    jitter: float = 0.15  # sigma of the log-normal noise of every run
    length: float = 1.0  # a quiet step takes so many times QUIET
    stalls: Sequence[float] = ()  # at these seconds the whole machine, and so every access, stands still
    stall: float = 10.0  # seconds long
    metrics: Mapping[tuple[str, str], float] = field(default_factory=lambda: METRICS)  # quiet values


def runs(world: World) -> list[Run]:
    """Walk the world."""
    noise = np.random.default_rng(world.seed)
    found = []
    for number, at in enumerate(np.arange(0.0, world.seconds, world.every)):
        for population in world.populations:
            made = _run(world, population, float(at), number, noise)
            if not world.missing(population, float(at)):
                found.append(made)
    return found


def _run(world: World, population: Population, at: float, number: int, noise: np.random.Generator) -> Run:
    active = [f for f in world.faults if f.start <= at < f.end and population in f.populations]
    steps = tuple(_step(world, step, at, active, noise) for step in QUIET)
    endpoint = f"pc-{population.link}-{population.presentation}"
    slot = START + timedelta(seconds=at)
    release = next((f.release for f in active if f.release), "3.58")
    return Run(
        run_id=f"{hash_of(endpoint):016x}{number:016x}",
        site="site-1",
        endpoint=endpoint,
        access=Access(link=population.link, presentation=population.presentation, confidence=1.0),
        journey="case-record",
        journey_hash="0123456789abcdef",
        environment="synthetic",
        slot=slot,
        started_at=slot,
        seconds=sum(step.seconds or 0.0 for step in steps),
        outcome=Outcome.OK,
        steps=steps,
        facts={"release": release},
    )


def hash_of(text: str) -> int:
    """Give the same number for the same text on every machine."""
    return int.from_bytes(sha256(text.encode()).digest()[:7])


def _step(world: World, step: str, at: float, active: Sequence[Fault], noise: np.random.Generator) -> StepTiming:
    drift = 1 + world.drift * np.sin(at / 2000)
    hiccup = noise.uniform(2, 5) if noise.random() < 0.05 else 1.0
    usual = world.length * drift * hiccup
    phases = {p: s * usual * noise.lognormal(0, world.jitter) for p, s in QUIET[step].items()}
    wait = 0.001 * hiccup * noise.lognormal(0, 0.3)
    wait += next((begin + world.stall - at for begin in world.stalls if begin <= at < begin + world.stall), 0.0)
    hit = [f for f in active if step in f.steps and noise.random() <= f.hit]
    for fault in hit:
        for phase, seconds in fault.seconds.items():
            if phase is Phase.PROCESSING:
                wait += seconds * noise.lognormal(0, 0.3)
            else:
                phases[phase] = phases.get(phase, 0.0) + seconds * noise.lognormal(0, 0.3)
    account = sum(s for p, s in phases.items() if p.value.startswith("server_"))
    phases[Phase.PROCESSING] = wait + account
    if not world.server_timing:
        phases = {p: s for p, s in phases.items() if not p.value.startswith("server_")}
    untold = sum(fault.untold * noise.lognormal(0, 0.3) for fault in hit if fault.untold)
    total = untold + sum(s for p, s in phases.items() if not p.value.startswith("server_"))
    return _timing(world, step, phases, total, next((f for f in hit if f.outcome is not Outcome.OK), None))


def _timing(world: World, step: str, phases: Mapping[Phase, float], total: float, failed: Fault | None) -> StepTiming:
    if total > world.timeout:
        return StepTiming(
            step=step, outcome=Outcome.TIMEOUT, seconds=world.timeout, censored=True, target_seconds=world.target
        )
    if failed is not None:
        return StepTiming(
            step=step,
            outcome=failed.outcome,
            error_kind=failed.error_kind,
            http_status=failed.http_status,
            target_seconds=world.target,
        )
    return StepTiming(
        step=step, outcome=Outcome.OK, seconds=total, phases=phases, target_seconds=world.target, http_status=200
    )


def samples(world: World) -> list[Sample]:
    """Read the infrastructure of the world every 5 s."""
    if not world.sampled:
        return []
    noise = np.random.default_rng(world.seed + 10_000)
    found = []
    for at in np.arange(0.0, world.seconds, 5.0):
        for (component, metric), quiet in world.metrics.items():
            value = quiet * noise.lognormal(0, 0.3)
            for fault in world.faults:
                if fault.start <= at < fault.end and (fault.moments == 1.0 or noise.random() <= fault.moments):
                    value += fault.shifts.get((component, metric), 0.0) * noise.lognormal(0, 0.2)
            layer = _layer(component, metric)
            found.append(
                Sample(
                    site="site-1",
                    component=component,
                    layer=layer,
                    metric=metric,
                    at=START + timedelta(seconds=float(at)),
                    value=float(value),
                )
            )
    return found


def _layer(component: str, metric: str) -> Layer:
    layer = CATALOGUE[metric].layer
    if component.startswith("pc-"):
        own = Layer.REMOTE_SESSION if component.endswith("-vnc") else Layer.ENDPOINT
        return {Layer.NETWORK_CORE: Layer.ACCESS_NETWORK, Layer.APP_SERVER: own}.get(layer, layer)
    return Layer.DATABASE if component == "db-1" and metric.startswith("system.") else layer


def window(world: World) -> Window:
    """Give the world as the analysis reads it."""
    return window_of(run_tables(runs(world))["steps"], sample_table(samples(world)), world.seconds)


def window_of(steps: pa.Table, sampled: pa.Table, seconds: float) -> Window:
    """Build a window from tables in any order of rows."""
    steps = steps.sort_by([(name, "ascending") for name in tables.ORDER["steps"]])
    sampled = sampled.sort_by([(name, "ascending") for name in tables.ORDER["samples"]])
    counted, mixed = set_apart(steps.to_pandas())
    return Window(
        start=START,
        end=START + timedelta(seconds=seconds),
        history_start=START,
        snapshot=1,
        steps=counted,
        mixed=mixed,
        samples=sampled.to_pandas(),
        hourly=pd.DataFrame({name: [] for name in tables.HOURLY.names}),
        changes=(),
        digest=digest([steps, sampled]),
    )
