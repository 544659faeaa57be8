"""What a simulated world is asked for: accesses, steps, noise, what is missing, and the faults with their layers.

A world is an application walked from several accesses at fixed intervals; a fault adds seconds to named phases of
named steps of some accesses from its start on. The noise is that of a small busy machine: log-normal jitter, one run
in twenty 2 to 5 times as long (or a heavier tail), slow drift, and levels that wander and so make runs alike their
neighbours. Times are seconds after ``World.begin``; those before 0 are history that only the hourly roll-up keeps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
WIRED = Population(link=Link.WIRED, presentation=Presentation.LOCAL)
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
VNC = Population(link=Link.WIRED, presentation=Presentation.VNC)
ALL = (WIRED, WIFI, VNC)
Metrics = Mapping[tuple[str, str], float]  # by component and metric, in the metric's unit

# Quiet seconds per phase of each step, as an application has them on a small machine.
QUIET: Mapping[str, Mapping[Phase, float]] = {
    "login": {Phase.CONNECT: 0.001, Phase.SERVER_APP: 0.02, Phase.SERVER_DB: 0.006, Phase.TRANSFER: 0.002},
    "search": {Phase.SERVER_APP: 0.006, Phase.SERVER_DB: 0.012, Phase.TRANSFER: 0.003},
    "open": {Phase.SERVER_APP: 0.005, Phase.SERVER_DB: 0.004, Phase.TRANSFER: 0.002},
    "save": {Phase.SERVER_APP: 0.005, Phase.SERVER_DB: 0.009, Phase.TRANSFER: 0.001},
    "print": {Phase.SERVER_APP: 0.04, Phase.SERVER_DB: 0.003, Phase.TRANSFER: 0.01},
}
METRICS: Metrics = {
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
    """Adds ``seconds`` per phase to ``steps`` of ``populations`` and moves metrics by ``shifts``.

    ``layer`` is who is behind it, as far as a truth is asked for; nobody is behind one that only moves metrics.
    """

    layer: Layer | None = None
    seconds: Mapping[Phase, float] = field(default_factory=dict)
    steps: Sequence[str] = tuple(QUIET)
    populations: Sequence[Population] = ALL
    shifts: Metrics = field(default_factory=dict)
    hit: float = 1.0  # share of the runs it reaches
    moments: float = 1.0  # share of the samples it shifts
    untold: float = 0.0  # seconds that no phase covers
    outcome: Outcome = Outcome.OK
    http_status: int | None = None
    error_kind: str | None = None
    release: str | None = None
    start: float = 600.0
    end: float = 1e9


@dataclass(frozen=True, kw_only=True)
class Load:
    """How busy the users are: by hour of the day, at weekends, from day to day, and growing.

    ``season`` is what the busiest hour adds to the quietest, as a share; ``day`` the sigma of whole days;
    ``growth`` a share in 30 days. ``moved`` says by how much metrics rise when load is 1 above none.
    """

    season: float = 0.0
    weekend: float = 1.0
    day: float = 0.0
    growth: float = 0.0
    moved: Metrics = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What does not arrive: shares of runs, of runs' phases, of the server's account, of samples; spans of runs.

    ``told`` says of single runs, by access and time, that they do not.
    """

    runs: float = 0.0
    phases: float = 0.0
    account: float = 0.0
    samples: float = 0.0
    spans: Sequence[tuple[float, float]] = ()
    told: Callable[[Population, float], bool] | None = None


@dataclass(frozen=True, kw_only=True)
class World:
    """What the generator is asked for. ``wander`` is the sigma of a level that forgets in ``memory`` seconds.

    ``skew`` is how far the clock of an endpoint or a component is ahead, in seconds. ``limits`` are the longest
    values a metric's probe waits for: what takes longer is told as "at least".
    """

    faults: Sequence[Fault] = ()
    populations: Sequence[Population] = ALL
    steps: Mapping[str, Mapping[Phase, float]] = field(default_factory=lambda: QUIET)
    begin: datetime = START
    seconds: float = 720.0
    every: float = 5.0
    seed: int = 1
    server_timing: bool = True
    sampled: bool = True
    sample_every: float = 5.0
    sampled_from: float = 0.0
    target: float | None = None
    timeout: float = 10.0
    missing: Missing = field(default_factory=Missing)
    drift: float = 0.25
    jitter: float = 0.15  # sigma of the log-normal noise of every run
    tail: float | None = None  # the index of a Pareto tail of the one run in twenty; the lower, the heavier
    wander: float = 0.0
    memory: float = 1800.0
    load: Load = field(default_factory=Load)
    length: float = 1.0  # a quiet step takes so many times its seconds
    stalls: Sequence[float] = ()  # at these seconds the whole machine, and so every access, stands still
    stall: float = 10.0  # seconds long
    metrics: Metrics = field(default_factory=lambda: METRICS)  # quiet values
    limits: Metrics = field(default_factory=dict)
    skew: Mapping[str, float] = field(default_factory=dict)


def endpoint_of(population: Population) -> str:
    """Name the endpoint from which an access is walked."""
    return f"pc-{population.link}-{population.presentation}"
