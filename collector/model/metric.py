"""The catalogue of infrastructure metrics: unit, layer, which way is worse, and what shift counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from collector.model.layer import Layer


class Direction(StrEnum):
    """Which way a metric goes when its layer gets worse."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"  # says how busy, not how ill: never evidence by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the catalogue. ``minimum_shift`` is the smallest change that can matter, in ``unit``."""

    name: str
    unit: str
    layer: Layer
    direction: Direction
    minimum_shift: float
    meaning: str


def _metric(name: str, unit: str, layer: Layer, direction: Direction, minimum_shift: float, meaning: str) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        layer=layer,
        direction=direction,
        minimum_shift=minimum_shift,
        meaning=meaning,
    )


# Names follow OpenTelemetry semantic conventions where one exists; rates are per second.
CATALOGUE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric(
            "system.cpu.utilization",
            "1",
            Layer.APP_SERVER,
            Direction.UP,
            0.25,
            "share of all processors busy",
        ),
        _metric(
            "system.cpu.steal",
            "1",
            Layer.VIRTUALISATION,
            Direction.UP,
            0.05,
            "share of time the hypervisor gave to others",
        ),
        _metric(
            "system.memory.available",
            "By",
            Layer.APP_SERVER,
            Direction.NEUTRAL,
            0.0,
            "memory a program could still get",
        ),
        _metric(
            "system.memory.committed",
            "By",
            Layer.APP_SERVER,
            Direction.NEUTRAL,
            0.0,
            "memory promised to programs",
        ),
        _metric("system.paging.in", "By/s", Layer.APP_SERVER, Direction.UP, 1e6, "read back from swap"),
        _metric("system.paging.out", "By/s", Layer.APP_SERVER, Direction.UP, 1e6, "written to swap"),
        _metric(
            "system.paging.faults.major",
            "1/s",
            Layer.APP_SERVER,
            Direction.NEUTRAL,
            100.0,
            "page faults of the whole host that waited for a disk",
        ),
        _metric(
            "process.paging.faults.major",
            "1/s",
            Layer.APP_SERVER,
            Direction.UP,
            50.0,
            "page faults of the application's process that waited for a disk",
        ),
        _metric(
            "process.memory.resident",
            "By",
            Layer.APP_SERVER,
            Direction.NEUTRAL,
            0.0,
            "memory of the application's process held in RAM",
        ),
        _metric(
            "process.cpu.utilization",
            "1",
            Layer.APP_SERVER,
            Direction.UP,
            0.5,
            "processors the application's process keeps busy",
        ),
        _metric(
            "system.disk.read.await",
            "s",
            Layer.STORAGE,
            Direction.NEUTRAL,
            0.005,
            "mean time of a read, as the host sees it",
        ),
        _metric(
            "system.disk.write.await",
            "s",
            Layer.STORAGE,
            Direction.NEUTRAL,
            0.005,
            "mean time of a write, as the host sees it",
        ),
        _metric(
            "system.disk.io",
            "By/s",
            Layer.STORAGE,
            Direction.NEUTRAL,
            0.0,
            "bytes read and written",
        ),
        _metric(
            "system.network.errors",
            "1/s",
            Layer.NETWORK_CORE,
            Direction.UP,
            1.0,
            "frames with errors or dropped",
        ),
        _metric(
            "system.network.retransmits",
            "1/s",
            Layer.NETWORK_CORE,
            Direction.UP,
            1.0,
            "TCP segments sent again",
        ),
        _metric(
            "storage.write.latency",
            "s",
            Layer.STORAGE,
            Direction.UP,
            0.005,
            "a 4 KiB write with fsync on the named volume",
        ),
        _metric(
            "storage.read.latency",
            "s",
            Layer.STORAGE,
            Direction.UP,
            0.005,
            "a 4 KiB read from the named volume",
        ),
        _metric(
            "db.wal.sync.latency",
            "s",
            Layer.STORAGE,
            Direction.UP,
            0.005,
            "mean time of a log flush, as the database sees it",
        ),
        _metric(
            "db.connections.active",
            "{statement}",
            Layer.DATABASE,
            Direction.NEUTRAL,
            2.0,
            "statements running now",
        ),
        _metric(
            "db.busy",
            "1",
            Layer.DATABASE,
            Direction.UP,
            0.05,
            "seconds of statement time per second",
        ),
        _metric("db.waits.lock", "{statement}", Layer.DATABASE, Direction.UP, 1.0, "statements waiting for a lock"),
        _metric(
            "db.statement.longest",
            "s",
            Layer.DATABASE,
            Direction.UP,
            0.1,
            "age of the oldest running statement",
        ),
        _metric(
            "endpoint.cpu.utilization",
            "1",
            Layer.ENDPOINT,
            Direction.UP,
            0.4,
            "share of the probe machine's processors busy",
        ),
        _metric(
            "endpoint.wifi.signal",
            "dBm",
            Layer.ACCESS_NETWORK,
            Direction.DOWN,
            10.0,
            "signal strength at the endpoint",
        ),
        _metric(
            "endpoint.wifi.retries",
            "1/s",
            Layer.ACCESS_NETWORK,
            Direction.UP,
            5.0,
            "WiFi frames sent again",
        ),
        _metric(
            "endpoint.wifi.bitrate",
            "bit/s",
            Layer.ACCESS_NETWORK,
            Direction.DOWN,
            20e6,
            "bitrate at which the endpoint sends to its access point",
        ),
        _metric(
            "endpoint.wifi.roams",
            "1/s",
            Layer.ACCESS_NETWORK,
            Direction.UP,
            1 / 300,
            "changes of the access point, and associations begun anew, as seen from one reading to the next",
        ),
        _metric(
            "session.ica.latency", "s", Layer.ACCESS_NETWORK, Direction.UP, 0.02, "network delay under an ICA session"
        ),
        _metric("session.ica.roundtrip", "s", Layer.REMOTE_SESSION, Direction.UP, 0.05, "from an input to its picture"),
        _metric(
            "session.input.delay", "s", Layer.REMOTE_SESSION, Direction.UP, 0.05, "longest wait of an input queued"
        ),
        _metric(
            "printer.present", "1", Layer.PRINTING, Direction.DOWN, 0.5, "1 if the session has the printer, else 0"
        ),
        _metric(
            "printer.usable", "1", Layer.PRINTING, Direction.DOWN, 0.5, "1 if the spooler would print on it, else 0"
        ),
        _metric("printer.jobs", "{job}", Layer.PRINTING, Direction.UP, 2.0, "jobs in the printer's queue"),
        _metric("printer.present.after_logon", "s", Layer.PRINTING, Direction.UP, 5.0, "from logon until it was there"),
        _metric("printer.usable.after_logon", "s", Layer.PRINTING, Direction.UP, 5.0, "from logon until it was usable"),
        _metric(
            "printer.awaited.after_logon",
            "s",
            Layer.PRINTING,
            Direction.NEUTRAL,
            0.0,
            "time since logon while it is not usable yet: it takes at least this long, or never comes",
        ),
        _metric(
            "agent.outbox.dropped",
            "1",
            Layer.ENDPOINT,
            Direction.NEUTRAL,
            0.0,
            "rows an agent had to drop because its outbox was full, or its disk: these data are missing",
        ),
        _metric(
            "agent.slots.missed",
            "1",
            Layer.ENDPOINT,
            Direction.NEUTRAL,
            0.0,
            "slots in which an agent did not walk, because the walk before took too long or the machine slept",
        ),
        _metric(
            "agent.clock.skew",
            "s",
            Layer.ENDPOINT,
            Direction.NEUTRAL,
            0.0,
            "how far the agent's clock is ahead of the collector's, from the middle of a request",
        ),
    )
}
