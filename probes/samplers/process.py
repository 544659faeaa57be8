"""Major faults, resident memory, use of processors and waiting for one, of one program, followed over its restarts.

With ``own`` the program is the agent itself: of all that one machine does, its waiting is what makes times wrong there.
"""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psutil
from pydantic import Field, model_validator

from collector.document import Document, validate
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.samplers._counters import Counters, Growth

IDLE = 0.002  # processors: below it the share of waiting is chance


class ProcessSettings(Document):
    """Which program: by the file it writes its id to, or by a part of its command line."""

    pid_file: Path | None = Field(default=None, description="file that holds the process id")
    name: str | None = Field(
        default=None, min_length=1, description="part of the command line; all matches are added up"
    )
    own: bool = Field(default=False, description="the agent itself, instead of pid_file or name")
    children: bool = Field(default=False, description="add up its child processes too")
    layer: Layer = Field(default=Layer.APP_SERVER, description="the layer the program stands for")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.pid_file is not None) + (self.name is not None) + self.own != 1:
            raise ValueError("give one of pid_file, name and own")
        return self


class _OpenProcess:
    def __init__(self, *, site: str, component: str, settings: ProcessSettings) -> None:
        self._site = site
        self._component = component
        self._settings = settings
        self._roots: list[psutil.Process] = []
        self._counters = Counters()

    def read(self) -> Sequence[Sample]:
        """Give the samples; nothing while the program is not running.

        Counters are compared process by process, so one that began in between adds nothing at once.
        """
        counters: dict[str, float] = {}
        resident = 0.0
        for process in self._members():
            try:
                memory, grown = _measure(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            resident += memory
            counters |= grown
        growth = self._counters.advance(time.monotonic(), counters)
        if not counters:
            return []
        values = {
            "process.memory.resident": (resident, None),
            "process.paging.faults.major": (_rate(growth, "faults"), growth.seconds),
            "process.cpu.utilization": (_rate(growth, "cpu"), growth.seconds),
            "process.cpu.wait": (_waited(growth), growth.seconds),
        }
        return [self._sample(name, value, period) for name, (value, period) in values.items() if value is not None]

    def close(self) -> None:
        """Nothing is kept open."""

    def _sample(self, name: str, value: float, period: float | None) -> Sample:
        return Sample(
            site=self._site,
            component=self._component,
            layer=self._settings.layer,
            metric=name,
            at=datetime.now(UTC),
            value=value,
            period_seconds=period,
        )

    def _members(self) -> list[psutil.Process]:
        """Give the processes that are the program now; all of them are looked through only when one has gone."""
        if self._settings.own:
            self._roots = self._roots or [psutil.Process()]
        elif self._settings.pid_file is not None:
            self._roots = _by_file(self._settings.pid_file)
        elif not self._roots or not all(_lives(process) for process in self._roots):
            self._roots = _by_name(self._settings.name or "")
        if not self._settings.children:
            return self._roots
        found = {process.pid: process for root in self._roots for process in (root, *_children(root))}
        return list(found.values())


class _Process:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenProcess:
        """Open with ProcessSettings. Raises ConfigError."""
        return _OpenProcess(
            site=site, component=component, settings=validate(settings, ProcessSettings, file="agent.samplers")
        )


PLUGIN = _Process()


def _measure(process: psutil.Process) -> tuple[float, dict[str, float]]:
    """Give resident bytes, and the counters of major faults and processor seconds under this process's own names."""
    key = f"{process.pid}-{process.create_time()}"
    with process.oneshot():
        times = process.cpu_times()
        counters = {f"{key} cpu": times.user + times.system}
        counters |= _run_queue(process.pid, key)
        faults = _major_faults(process)
        if faults is not None:
            counters[f"{key} faults"] = faults
        return float(process.memory_info().rss), counters


def _rate(growth: Growth, counter: str) -> float | None:
    """Add up one counter of all processes that were there before."""
    rates = [growth.rate(name) for name in growth.by if name.endswith(f" {counter}")]
    return math.fsum(rate for rate in rates if rate is not None) if rates else None


def _waited(growth: Growth) -> float | None:
    """Give the share of waiting in the time in which its threads wanted a processor; None of an idle program."""
    ran, waited = _rate(growth, "ran") or 0.0, _rate(growth, "waited") or 0.0
    return waited / (ran + waited) if ran + waited > IDLE else None


def _run_queue(pid: int, key: str) -> dict[str, float]:
    """Read how long each thread ran and waited to run, seconds; nothing where the system does not tell."""
    counters: dict[str, float] = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            ran, waited, _ = (task / "schedstat").read_text(encoding="ascii").split()
            counters |= {f"{key} {task.name} ran": int(ran) / 1e9, f"{key} {task.name} waited": int(waited) / 1e9}
    except (OSError, ValueError):  # a thread has ended meanwhile, or there is no such file
        return counters
    return counters


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _major_faults(process: psutil.Process) -> float | None:
    """Read majflt, field 12 of /proc/PID/stat; the name in field 2 may hold spaces and brackets.

    None where the system has no such count: Windows counts faults that waited for a disk with all others.
    """
    if sys.platform != "linux":
        return None
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(process.pid) from None
    return float(text.rpartition(")")[2].split()[9])


def _by_file(path: Path) -> list[psutil.Process]:
    pid = _pid_in(path)
    try:
        found = [] if pid is None else [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if _lives(process)]


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _by_name(part: str) -> list[psutil.Process]:
    """Find the processes with ``part`` in their command line, the agent itself and its parents aside."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid not in own and part in " ".join(process.info["cmdline"] or ())
    ]
