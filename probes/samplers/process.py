"""Major faults, resident memory and processor use of one program, followed over its restarts."""

import os
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
from probes.samplers._counters import Counters


class ProcessSettings(Document):
    """Which program: by the file it writes its id to, or by a part of its command line."""

    pid_file: Path | None = Field(default=None, description="file that holds the process id")
    name: str | None = Field(
        default=None, min_length=1, description="part of the command line; the oldest match counts"
    )
    children: bool = Field(default=False, description="add up its child processes too")
    layer: Layer = Field(default=Layer.APP_SERVER, description="the layer the program stands for")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.pid_file is None) == (self.name is None):
            raise ValueError("give either pid_file or name")
        return self


class _OpenProcess:
    def __init__(self, *, site: str, component: str, settings: ProcessSettings) -> None:
        self._site = site
        self._component = component
        self._settings = settings
        self._process: psutil.Process | None = None
        self._counters = Counters()

    def read(self) -> Sequence[Sample]:
        """Give the samples; nothing while the program is not running."""
        process = self._find()
        if process is None:
            return []
        try:
            members = [process, *(process.children(recursive=True) if self._settings.children else [])]
            faults, resident, cpu = _measure(members)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            self._process = None
            return []
        growth = self._counters.advance(time.monotonic(), {"faults": faults, "cpu": cpu})
        values = {
            "process.memory.resident": (resident, None),
            "process.paging.faults.major": (growth.rate("faults"), growth.seconds),
            "process.cpu.utilization": (growth.rate("cpu"), growth.seconds),
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

    def _find(self) -> psutil.Process | None:
        """Give the program; after a restart its counters start anew, so they are compared with nothing."""
        if self._process is not None and self._process.is_running() and not self._replaced(self._process):
            return self._process
        found = _by_file(self._settings.pid_file) if self._settings.pid_file else _by_name(self._settings.name or "")
        self._process, self._counters = found, Counters()
        return found

    def _replaced(self, process: psutil.Process) -> bool:
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return self._settings.pid_file is not None and _pid_in(self._settings.pid_file) not in (None, process.pid)


class _Process:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenProcess:
        """Open with ProcessSettings. Raises ConfigError."""
        return _OpenProcess(
            site=site, component=component, settings=validate(settings, ProcessSettings, file="agent.samplers")
        )


PLUGIN = _Process()


def _measure(members: Sequence[psutil.Process]) -> tuple[float, float, float]:
    """Add up major faults, resident bytes and processor seconds."""
    faults = resident = cpu = 0.0
    for member in members:
        with member.oneshot():
            resident += member.memory_info().rss
            times = member.cpu_times()
            cpu += times.user + times.system
            faults += _major_faults(member)
    return faults, resident, cpu


def _major_faults(process: psutil.Process) -> float:
    """Read majflt, field 12 of /proc/PID/stat; the name in field 2 may hold spaces and brackets."""
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise psutil.NoSuchProcess(process.pid) from None
    return float(text.rpartition(")")[2].split()[9])


def _by_file(path: Path) -> psutil.Process | None:
    pid = _pid_in(path)
    try:
        return None if pid is None else psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _by_name(part: str) -> psutil.Process | None:
    """Find the oldest process with ``part`` in its command line, the agent itself and its parents aside."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [
        process
        for process in psutil.process_iter(["cmdline", "create_time"])
        if process.pid not in own and part in " ".join(process.info["cmdline"] or ())
    ]
    return min(found, key=lambda process: process.info["create_time"], default=None)
