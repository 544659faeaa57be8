"""Memory, processors, disks and network of the machine the agent runs on.

One read takes a few milliseconds at most: a dozen small files of ``/proc``, no command is started.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import Field

from collector.document import Document, validate
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.samplers._counters import Counters, Growth

Role = Literal["endpoint", "app_server", "database", "storage", "remote_session"]
_KIB = 1024
_PAGE = 4096
_NO_DEVICE = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")


class HostSettings(Document):
    """What this machine is for; it decides which layer its numbers speak about."""

    role: Role = Field(default="endpoint", description="endpoint, app_server, database, storage or remote_session")
    disks: tuple[str, ...] = Field(default=(), description="devices to watch; all physical ones if absent")


class _OpenHost:
    def __init__(self, *, site: str, component: str, settings: HostSettings) -> None:
        self._site = site
        self._component = component
        self._settings = settings
        self._counters = Counters()

    def read(self) -> Sequence[Sample]:
        """Give the samples; rates and means from the second call on."""
        at, now = datetime.now(UTC), time.monotonic()
        disks = self._disks()
        growth = self._counters.advance(now, {**_processor(), **_kernel(), **_network(), **_disk_counters(disks)})
        found = [
            *_memory(),
            *_rates(growth),
            *((name, value, {"device": disk}) for disk in disks for name, value in _disk_rates(growth, disk)),
        ]
        period = growth.seconds or None
        return [self._sample(name, value, labels, at, period) for name, value, labels in found if value is not None]

    def close(self) -> None:
        """Nothing is kept open."""

    def _disks(self) -> list[str]:
        present = psutil.disk_io_counters(perdisk=True) or {}
        if self._settings.disks:
            return [disk for disk in self._settings.disks if disk in present]
        whole = [disk for disk in present if not disk.startswith(_NO_DEVICE)]
        return [disk for disk in whole if not any(disk != other and disk.startswith(other) for other in whole)]

    def _sample(self, name: str, value: float, labels: Mapping[str, str], at: datetime, period: float | None) -> Sample:
        layer = _layer(name, self._settings.role)
        if self._settings.role == "endpoint" and name == "system.cpu.utilization":
            name = "endpoint.cpu.utilization"
        instantaneous = name in ("system.memory.available", "system.memory.committed")
        return Sample(
            site=self._site,
            component=self._component,
            layer=layer,
            metric=name,
            at=at,
            value=value,
            period_seconds=None if instantaneous else period,
            labels=labels,
        )


class _Host:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenHost:
        """Open with HostSettings. Raises ConfigError."""
        return _OpenHost(
            site=site, component=component, settings=validate(settings, HostSettings, file="agent.samplers")
        )


PLUGIN = _Host()

Found = tuple[str, float | None, Mapping[str, str]]


def _layer(metric: str, role: Role) -> Layer:
    """Say what a number of this machine speaks about: an endpoint's disk is not the storage under the system."""
    layer = CATALOGUE[metric].layer
    if role == "endpoint":
        return Layer.ACCESS_NETWORK if layer is Layer.NETWORK_CORE else Layer.ENDPOINT
    return Layer(role) if layer is Layer.APP_SERVER else layer


def _memory() -> Iterable[Found]:
    yield "system.memory.available", float(psutil.virtual_memory().available), {}
    yield "system.memory.committed", _committed(), {}


def _rates(growth: Growth) -> Iterable[Found]:
    busy, steal, total = (growth.by.get(name) for name in ("cpu.busy", "cpu.steal", "cpu.total"))
    if total and busy is not None:
        yield "system.cpu.utilization", min(busy / total, 1.0), {}
        yield "system.cpu.steal", None if steal is None else min(steal / total, 1.0), {}
    yield "system.paging.in", growth.rate("paging.in"), {}
    yield "system.paging.out", growth.rate("paging.out"), {}
    yield "system.paging.faults.major", growth.rate("paging.faults.major"), {}
    yield "system.network.errors", growth.rate("network.errors"), {}
    yield "system.network.retransmits", growth.rate("network.retransmits"), {}


def _disk_rates(growth: Growth, disk: str) -> Iterable[tuple[str, float | None]]:
    yield "system.disk.read.await", growth.mean(f"{disk}.read_seconds", f"{disk}.reads")
    yield "system.disk.write.await", growth.mean(f"{disk}.write_seconds", f"{disk}.writes")
    yield "system.disk.io", growth.rate(f"{disk}.bytes")


def _processor() -> dict[str, float]:
    times = psutil.cpu_times()
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted in user and nice already
    total = sum(times) - guest
    idle = times.idle + getattr(times, "iowait", 0.0)
    steal = getattr(times, "steal", None)  # Windows does not know what its hypervisor gave to others
    counters = {"cpu.total": total, "cpu.busy": total - idle - (steal or 0.0)}
    return counters if steal is None else {**counters, "cpu.steal": steal}


def _kernel() -> dict[str, float]:
    """Read what psutil has only in part: swap traffic and major faults in vmstat, retransmits in snmp."""
    vmstat = dict(line.split() for line in _lines("/proc/vmstat") if line.startswith(("pswp", "pgmajfault ")))
    names = {"pswpin": "paging.in", "pswpout": "paging.out"}
    counters = {name: float(vmstat[key]) * _PAGE for key, name in names.items() if key in vmstat}
    if "pgmajfault" in vmstat:
        counters["paging.faults.major"] = float(vmstat["pgmajfault"])
    tcp = [line.split()[1:] for line in _lines("/proc/net/snmp") if line.startswith("Tcp:")]
    if len(tcp) == 2:
        counters["network.retransmits"] = float(dict(zip(*tcp, strict=True))["RetransSegs"])
    return counters


def _network() -> dict[str, float]:
    cards = psutil.net_io_counters(pernic=True)
    errors = sum(card.errin + card.errout + card.dropin + card.dropout for name, card in cards.items() if name != "lo")
    return {"network.errors": float(errors)}


def _disk_counters(disks: Sequence[str]) -> dict[str, float]:
    counters: dict[str, float] = {}
    for disk, seen in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if disk in disks:
            counters |= {
                f"{disk}.reads": float(seen.read_count),
                f"{disk}.writes": float(seen.write_count),
                f"{disk}.read_seconds": seen.read_time / 1000,
                f"{disk}.write_seconds": seen.write_time / 1000,
                f"{disk}.bytes": float(seen.read_bytes + seen.write_bytes),
            }
    return counters


def _committed() -> float | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith("Committed_AS:"):
            return float(line.split()[1]) * _KIB
    return None


def _lines(path: str) -> list[str]:
    """Read a file of /proc; empty where there is no such file."""
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return []
