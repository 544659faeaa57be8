"""How each layer shows when it is slow: in which phases of whose steps, and in which of its own metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.truth.world import ALL, VNC, WIFI, WIRED, Metrics
from collector.model.access import Population
from collector.model.layer import Layer
from collector.model.run import Phase

Draw = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A layer that is slow: its seconds by phase as shares, whom it reaches, and what its metrics rise by."""

    layer: Layer
    phases: Mapping[Phase, float]
    populations: Sequence[Population] = ALL
    shifts: Metrics = field(default_factory=dict)
    release: str | None = None


def access_network(_seconds: float, draw: Draw) -> Cause:
    """Hold up one link: its waiting, its transfers and its connections."""
    connect, transfer = draw.uniform(0.1, 0.3), draw.uniform(0.0, 0.2)
    phases = {Phase.PROCESSING: 1 - connect - transfer, Phase.CONNECT: connect, Phase.TRANSFER: transfer}
    links: Sequence[Sequence[Population]] = ((WIFI,), (WIRED, VNC))
    return Cause(layer=Layer.ACCESS_NETWORK, phases=phases, populations=links[int(draw.integers(2))])


def network_core(_seconds: float, draw: Draw) -> Cause:
    """Hold up every link alike."""
    connect = draw.uniform(0.2, 0.4)
    return Cause(layer=Layer.NETWORK_CORE, phases={Phase.PROCESSING: 1 - connect, Phase.CONNECT: connect})


def remote_session(_seconds: float, _draw: Draw) -> Cause:
    """Starve the machine a session runs on: what is walked inside it waits, though its link does not."""
    return Cause(layer=Layer.REMOTE_SESSION, phases={Phase.PROCESSING: 1.0}, populations=(VNC,))


def app_server(_seconds: float, draw: Draw) -> Cause:
    """Read the application's pages back from a disk."""
    shifts = {("app-1", "process.paging.faults.major"): draw.uniform(200, 1000)}
    return Cause(layer=Layer.APP_SERVER, phases={Phase.SERVER_APP: 1.0}, shifts=shifts)


def virtualisation(_seconds: float, draw: Draw) -> Cause:
    """Give the machine's processors to others."""
    shifts = {("app-1", "system.cpu.steal"): draw.uniform(0.15, 0.4)}
    return Cause(layer=Layer.VIRTUALISATION, phases={Phase.SERVER_APP: 1.0}, shifts=shifts)


def application(_seconds: float, draw: Draw) -> Cause:
    """Run slower code since a release."""
    shifts = {("app-1", "process.cpu.utilization"): draw.uniform(0.6, 1.0)}
    return Cause(layer=Layer.APPLICATION, phases={Phase.SERVER_APP: 1.0}, shifts=shifts, release="3.59")


def database(_seconds: float, draw: Draw) -> Cause:
    """Look longer for an answer, on storage as quick as ever."""
    shifts = {("db-1", "db.busy"): draw.uniform(0.2, 0.8)}
    return Cause(layer=Layer.DATABASE, phases={Phase.SERVER_DB: 1.0}, shifts=shifts)


def storage(seconds: float, draw: Draw) -> Cause:
    """Write the log late, once to three times a step."""
    late = seconds / draw.integers(1, 4)
    shifts = {("lun-1", "storage.write.latency"): late, ("db-1", "db.wal.sync.latency"): late, ("db-1", "db.busy"): 0.3}
    return Cause(layer=Layer.STORAGE, phases={Phase.SERVER_DB: 1.0}, shifts=shifts)


def external_link(_seconds: float, _draw: Draw) -> Cause:
    """Wait for a partner's service, which the application accounts for."""
    return Cause(layer=Layer.EXTERNAL_LINK, phases={Phase.SERVER_EXTERNAL: 1.0})


def identity(_seconds: float, _draw: Draw) -> Cause:
    """Wait for the sign-in service, which everybody sees alike and no link explains."""
    return Cause(layer=Layer.IDENTITY, phases={Phase.IDENTITY: 1.0})


# Not among them: the endpoint (nothing tells it from its link), and printing.
CAUSES: Mapping[Layer, Callable[[float, Draw], Cause]] = {
    Layer.ACCESS_NETWORK: access_network,
    Layer.NETWORK_CORE: network_core,
    Layer.REMOTE_SESSION: remote_session,
    Layer.VIRTUALISATION: virtualisation,
    Layer.APP_SERVER: app_server,
    Layer.APPLICATION: application,
    Layer.DATABASE: database,
    Layer.STORAGE: storage,
    Layer.EXTERNAL_LINK: external_link,
    Layer.IDENTITY: identity,
}
# Layers that take their time out of the same account: two of them at once are no more than a sum.
SAME_ACCOUNT: Sequence[frozenset[Layer]] = (
    frozenset({Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION}),
    frozenset({Layer.DATABASE, Layer.STORAGE}),
    frozenset({Layer.ACCESS_NETWORK, Layer.NETWORK_CORE}),
    frozenset({Layer.IDENTITY, Layer.NETWORK_CORE}),
)
# What rises when users come, and what may rise by chance; nobody is slowed by it.
USERS: Metrics = {
    ("app-1", "system.cpu.utilization"): 0.35,
    ("app-1", "process.cpu.utilization"): 0.7,
    ("app-1", "system.memory.available"): -2e9,
    ("db-1", "db.busy"): 0.15,
}
BY_CHANCE: Sequence[tuple[Layer, Metrics]] = (
    (Layer.APP_SERVER, {("app-1", "process.paging.faults.major"): 120.0}),
    (Layer.VIRTUALISATION, {("app-1", "system.cpu.steal"): 0.1}),
    (Layer.STORAGE, {("lun-1", "storage.write.latency"): 0.012, ("db-1", "db.wal.sync.latency"): 0.012}),
    (Layer.DATABASE, {("db-1", "db.busy"): 0.3, ("db-1", "db.statement.longest"): 0.5}),
)
