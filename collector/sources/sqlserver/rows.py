"""From rows of SQL Server's views to numbers: totals that only grow, and what grew between two readings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.sources._statements import Cost

Row = tuple[Any, ...]
Handle = tuple[bytes, bytes, int]
ALL = 315_360_000  # ten years of seconds: every statement

# what the wait is for, and how its types begin
_WAITS = {
    "db.waiting.lock": ("LCK_",),
    "db.waiting.read": ("PAGEIOLATCH_", "IO_COMPLETION"),
    "db.waiting.log": ("WRITELOG", "LOGBUFFER"),
    "db.waiting.memory": ("RESOURCE_SEMAPHORE",),
    "db.waiting.client": ("ASYNC_NETWORK_IO",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Operations on the files of a database, and the seconds they took."""

    reads: float = 0.0
    read_seconds: float = 0.0
    log_writes: float = 0.0
    log_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What only grows until the server starts anew. ``at`` is seconds of the reader's monotonic clock."""

    at: float
    waits: Mapping[str, float]
    files: Mapping[str, Operations]
    deadlocks: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """One value: of the server itself, or of one of its databases."""

    metric: str
    value: float
    database: str | None = None


def waits_of(rows: Iterable[Row]) -> dict[str, float]:
    """Sum seconds of waiting by what the wait is for; waits for nothing (idle threads) are in none."""
    found = dict.fromkeys(_WAITS, 0.0)
    for kind, milliseconds in rows:
        for metric, begins in _WAITS.items():
            if str(kind).startswith(begins):
                found[metric] += float(milliseconds) / 1000
    return found


def files_of(rows: Iterable[Row]) -> dict[str, Operations]:
    """Put data and log files of each database together. A write of a log is a flush that a commit waits for."""
    found: dict[str, Operations] = {}
    for name, kind, reads, read_ms, writes, write_ms in rows:
        if name is None:  # it is going away
            continue
        one = found.get(name, Operations())
        log = kind == "LOG"
        found[name] = Operations(
            reads=one.reads + (0 if log else float(reads)),
            read_seconds=one.read_seconds + (0 if log else float(read_ms) / 1000),
            log_writes=one.log_writes + (float(writes) if log else 0),
            log_seconds=one.log_seconds + (float(write_ms) / 1000 if log else 0),
        )
    return found


def costs_of(rows: Iterable[Row]) -> dict[Handle, Cost]:
    """Give what each statement of each plan has cost."""
    return {(bytes(r[0]), bytes(r[1]), int(r[2])): Cost(float(r[3]), float(r[4]) / 1e6) for r in rows}


def rates(last: Totals, now: Totals) -> Iterator[Told]:
    """Give rates and means of the time between; what fell was reset, and has none."""
    period = now.at - last.at
    if period <= 0:
        return
    for metric, seconds in now.waits.items():
        if seconds >= last.waits.get(metric, 0.0):
            yield Told(metric, (seconds - last.waits.get(metric, 0.0)) / period)
    if last.deadlocks is not None and now.deadlocks is not None and now.deadlocks >= last.deadlocks:
        yield Told("db.deadlocks", (now.deadlocks - last.deadlocks) / period)
    for name, done in now.files.items():
        if name in last.files:
            yield from _latencies(name, last.files[name], done)


def _latencies(name: str, last: Operations, now: Operations) -> Iterator[Told]:
    for metric, count, seconds in (
        ("db.read.latency", now.reads - last.reads, now.read_seconds - last.read_seconds),
        ("db.wal.sync.latency", now.log_writes - last.log_writes, now.log_seconds - last.log_seconds),
    ):
        if count > 0 and seconds >= 0:  # no operation says nothing about how long one takes
            yield Told(metric, seconds / count, name)
