"""The network under the HTTP client: takes the time of every phase where it happens.

Phases are measured at the socket, not in the client above it: ``resolve`` is the call to the
resolver, ``connect`` and ``tls`` the handshakes, ``processing`` the time from the last byte of the
request being handed over until the first byte of the answer, ``transfer`` the sending of the request
and the time from the first byte of the answer to the last. Nothing is noted on a connection that is
used again. Through a proxy, ``resolve`` and ``connect`` are those of the proxy, and asking it for
the way on belongs to ``connect``.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from collector.model.run import Phase


@dataclass(slots=True, kw_only=True)
class Meter:
    """What one step has taken so far. ``stage`` is the phase it is in: where a failure strikes."""

    deadline_ns: int
    spent_ns: dict[Phase, int] = field(default_factory=dict)
    server_seconds: dict[Phase, float] = field(default_factory=dict)
    stage: Phase = Phase.CONNECT
    opened: int = 0
    requests: int = 0
    received: int = 0

    def add(self, phase: Phase, nanoseconds: int) -> None:
        """Add to a phase."""
        self.spent_ns[phase] = self.spent_ns.get(phase, 0) + nanoseconds

    def remaining(self, late: type[Exception]) -> float:
        """Give the seconds left of the step; raises ``late`` when there are none."""
        left = self.deadline_ns - time.perf_counter_ns()
        if left <= 0:
            raise late("the time for this step is over")
        return left / 1e9


class Wire(httpcore2.NetworkBackend):
    """Opens connections; ``meter`` is replaced at the start of every step."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  the step's deadline decides
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, then connect to the first address that answers."""
        addresses = self._resolve(host, port)
        self.meter.stage = Phase.CONNECT
        started = time.perf_counter_ns()
        stream = self._connect(addresses, port, local_address, list(socket_options or ()))
        self.meter.add(Phase.CONNECT, time.perf_counter_ns() - started)
        self.meter.opened += 1
        return TimedStream(stream, self)

    def _resolve(self, host: str, port: int) -> list[str]:
        if _is_address(host):
            return [host]
        self.meter.stage = Phase.RESOLVE
        started = time.perf_counter_ns()
        addresses = _look_up(host, port, self.meter.remaining(httpcore2.ConnectTimeout))
        self.meter.add(Phase.RESOLVE, time.perf_counter_ns() - started)
        return addresses

    def _connect(
        self, addresses: list[str], port: int, local_address: str | None, options: list[httpcore2.SOCKET_OPTION]
    ) -> httpcore2.NetworkStream:
        refused: Exception = httpcore2.ConnectError("the name has no address")
        for address in addresses:
            left = self.meter.remaining(httpcore2.ConnectTimeout)
            try:
                return self._inner.connect_tcp(address, port, left, local_address, options)
            except httpcore2.ConnectError as error:
                refused = error
        raise refused


class TimedStream(httpcore2.NetworkStream):
    """A connection that notes what its reads and writes take in the meter of the current step."""

    def __init__(self, inner: httpcore2.NetworkStream, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire
        self._opened_ns = self._written_ns = self._read_ns = time.perf_counter_ns()
        self._waiting = False
        self._before = dict(wire.meter.spent_ns)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  see connect_tcp
        """Send, and begin to wait for the answer."""
        meter = self._wire.meter
        started = time.perf_counter_ns()
        self._inner.write(buffer, meter.remaining(httpcore2.WriteTimeout))
        self._written_ns = time.perf_counter_ns()
        meter.add(Phase.TRANSFER, self._written_ns - started)
        meter.stage = Phase.PROCESSING
        self._waiting = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  see connect_tcp
        """Receive; the first bytes after a write end ``processing``."""
        meter = self._wire.meter
        data = self._inner.read(max_bytes, meter.remaining(httpcore2.ReadTimeout))
        now = time.perf_counter_ns()
        if self._waiting and data:
            meter.add(Phase.PROCESSING, now - self._written_ns)
            meter.stage = Phase.TRANSFER
            self._waiting = False
        elif not self._waiting:
            meter.add(Phase.TRANSFER, now - self._read_ns)
        self._read_ns = now
        meter.received += len(data)
        return data

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  see connect_tcp
    ) -> httpcore2.NetworkStream:
        """Do the TLS handshake. What was said before it was said to a proxy: that was connecting."""
        meter = self._wire.meter
        if self._read_ns != self._opened_ns:
            meter.spent_ns = dict(self._before)
            meter.add(Phase.CONNECT, self._read_ns - self._opened_ns)
        meter.stage = Phase.TLS
        started = time.perf_counter_ns()
        secured = self._inner.start_tls(ssl_context, server_hostname, meter.remaining(httpcore2.ConnectTimeout))
        meter.add(Phase.TLS, time.perf_counter_ns() - started)
        return TimedStream(secured, self._wire)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the contract has it
        """Ask the connection below."""
        return self._inner.get_extra_info(info)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """Ask the system's resolver, in a thread: the call itself cannot be given a time limit."""
    answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except OSError as error:
            answer.put(error)

    threading.Thread(target=ask, name="whichlayer-resolve", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise httpcore2.ConnectTimeout("the resolver did not answer") from None
    if isinstance(found, OSError):
        raise httpcore2.ConnectError(str(found)) from found
    return found
