"""A ladder of stations along the path: how long each takes to answer a TCP connection, or an echo (ping).

Every rung is in the layer its settings name. A refusal crossed the path as well: it is timed, and told. A connection
that is never answered is "at least"; a name that cannot be looked up and a network that is unreachable are no time.
Echoes are sent by an unprivileged socket, so only where the system lets this user (Linux: net.ipv4.ping_group_range;
not on Windows). The default gateway is found by itself (Linux).
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from collector.document import Document, Seconds, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.context.access import default_route
from probes.journey.use import Name
from probes.sampler import Cost
from probes.samplers._bounded import AT_LEAST, Bounded, Late

ECHOES = 4
MOST_RUNGS = 8
_ECHO_REQUEST, _PAYLOAD = 8, b"whichlayer probe"
_REMEDIES = {
    "name": "its name cannot be looked up: check host",
    "unreachable": "there is no way to it from here: check host",
    "timeout": "check host and port, and whether a firewall drops what is sent to it",
}


class Rung(Document):
    """One station; without ``port`` it is asked for echoes."""

    station: Name = Field(description="its stable name; samples are of the component COMPONENT.STATION")
    host: str | None = Field(default=None, description="name or IPv4 address; the default gateway if not given")
    port: int | None = Field(default=None, ge=1, le=65535, description="TCP port; echoes (ping) if not given")
    layer: Layer = Field(default=Layer.NETWORK_CORE, description="the layer that way and station speak for")


class ConnectSettings(Document):
    """The ladder, nearest station first."""

    rungs: tuple[Rung, ...] = Field(min_length=1, max_length=MOST_RUNGS, description="the stations")
    timeout: Seconds = Field(default=2.0, gt=0, le=30, description="how long each answer is waited for")

    @model_validator(mode="after")
    def _distinct(self) -> "ConnectSettings":
        if len({rung.station for rung in self.rungs}) < len(self.rungs):
            raise ValueError("two rungs have the same station: give each a name of its own")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one station gave. ``seconds`` is None when there is no time to tell; ``loss`` is of echoes only."""

    seconds: float | None
    why: str = ""
    refused: bool = False
    loss: float | None = None


class _OpenConnect:
    def __init__(self, *, site: str, component: str, settings: ConnectSettings) -> None:
        self._site = site
        self._component = component
        self._settings = settings
        longest = settings.timeout * (ECHOES + 1) + 1.0  # the lookup of a name is bounded by this alone
        self._bounded: Mapping[str, Bounded[_Answer]] = {one.station: Bounded(longest) for one in settings.rungs}

    def read(self) -> Sequence[Sample]:
        """Ask each station. Raises WhichlayerError when this machine does not allow it."""
        forbidden = self._forbidden()
        if forbidden:
            raise WhichlayerError("; ".join(forbidden))
        return [sample for rung in self._settings.rungs for sample in self._ask(rung)]

    def hindrances(self) -> Sequence[str]:
        """Say what of the ladder this machine does not allow, else which stations do not answer."""
        forbidden = self._forbidden()
        if forbidden:
            return forbidden
        asked = (
            (rung, next((one.labels["why"] for one in self._ask(rung) if one.labels.get("why")), ""))
            for rung in self._settings.rungs
        )
        return [f"the station {rung.station} does not answer: {_REMEDIES[why]}" for rung, why in asked if why]

    def _forbidden(self) -> list[str]:
        found = []
        if any(rung.port is None for rung in self._settings.rungs):
            found += _no_echoes()
        if sys.platform != "linux" and any(rung.host is None for rung in self._settings.rungs):
            found.append("the default gateway is found on Linux only: name its host")
        return found

    def close(self) -> None:
        """Nothing is kept open."""

    def _ask(self, rung: Rung) -> Iterator[Sample]:
        at = datetime.now(UTC)
        work = partial(_station, rung, self._settings.timeout)
        try:
            found = self._bounded[rung.station].run(work)
        except OSError as error:
            found = _Answer(seconds=None, why=_why(error))
        if isinstance(found, Late):
            found = _Answer(seconds=None, why="name")
        sample = partial(self._sample, rung, at)
        time_of = "network.path.roundtrip" if rung.port is None else "network.path.connect"
        if found.seconds is not None:
            yield sample(time_of, found.seconds, AT_LEAST if found.why == "timeout" else {})
        if found.loss is not None:
            yield sample("network.path.loss", found.loss, {})
        elif not found.why:
            yield sample("network.path.refused", float(found.refused), {})
        yield sample("probe.failed", float(bool(found.why)), {"why": found.why} if found.why else {})

    def _sample(self, rung: Rung, at: datetime, metric: str, value: float, labels: Mapping[str, str]) -> Sample:
        component = f"{self._component}.{rung.station}"
        return Sample(
            site=self._site, component=component, layer=rung.layer, metric=metric, at=at, value=value, labels=labels
        )  # fmt: skip


class _Connect:
    cost = Cost(operations=MOST_RUNGS * 4, sent_bytes=MOST_RUNGS * 400, received_bytes=MOST_RUNGS * 400,
                cpu_seconds=0.05, least_every=5.0)  # fmt: skip

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenConnect:
        """Open with ConnectSettings. Raises ConfigError."""
        known = validate(settings, ConnectSettings, file="agent.samplers")
        return _OpenConnect(site=site, component=component, settings=known)


PLUGIN = _Connect()


def _station(rung: Rung, timeout: float) -> _Answer:
    """Ask one station; looking up its name is no part of the time. Raises OSError."""
    host = _gateway() if rung.host is None else rung.host
    address = str(socket.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4][0])
    return _echoes(address, timeout) if rung.port is None else _connected(address, rung.port, timeout)


def _gateway() -> str:
    route = default_route(Path("/"))
    if route is None or len(route.gateway) != 8:
        raise OSError("there is no default route over IPv4")
    return socket.inet_ntoa(struct.pack("=I", int(route.gateway, 16)))  # as the kernel has it in memory


def _connected(address: str, port: int, timeout: float) -> _Answer:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as wire:
        wire.settimeout(timeout)
        started = time.perf_counter()
        try:
            wire.connect((address, port))
        except TimeoutError:
            return _Answer(seconds=time.perf_counter() - started, why="timeout")
        except ConnectionRefusedError:
            return _Answer(seconds=time.perf_counter() - started, refused=True)
        return _Answer(seconds=time.perf_counter() - started)


def _echoes(address: str, timeout: float) -> _Answer:
    """Send echoes one after the other; the time is the median of those that came back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as wire:
        wire.connect((address, 0))
        times = sorted(seconds for number in range(ECHOES) if (seconds := _echo(wire, number, timeout)) is not None)
    loss = 1 - len(times) / ECHOES
    if not times:
        return _Answer(seconds=timeout, why="timeout", loss=loss)
    return _Answer(seconds=times[len(times) // 2], loss=loss)


def _echo(wire: socket.socket, number: int, timeout: float) -> float | None:
    """Time one echo; None when it did not come. The kernel puts in its own identifier, and gives us ours only."""
    head = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 0, number)
    checked = struct.pack("!BBHHH", _ECHO_REQUEST, 0, _checksum(head + _PAYLOAD), 0, number)
    started = time.perf_counter()
    wire.send(checked + _PAYLOAD)
    while (left := started + timeout - time.perf_counter()) > 0:
        wire.settimeout(left)
        try:
            answer = wire.recv(512)
        except TimeoutError:
            return None
        if len(answer) >= 8 and struct.unpack("!H", answer[6:8])[0] == number:  # else: one given up on before
            return time.perf_counter() - started
    return None


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _no_echoes() -> list[str]:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        remedy = "an administrator can widen net.ipv4.ping_group_range; or give the rung a port"
        return [f"this user may not send echoes here ({reason}): {remedy}"]
    return []


def _why(error: OSError) -> str:
    return "name" if isinstance(error, socket.gaierror) else "unreachable"
