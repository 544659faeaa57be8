"""The network under the HTTP client: takes the time of every phase where it happens.

Phases are measured at the socket, not in the client above it: ``resolve`` is the call to the
resolver, ``connect`` and ``tls`` the handshakes, ``processing`` the time from handing over the last
part of the request until the first byte of the answer, ``transfer`` the sending of what comes before
that last part and the time from the first byte of the answer to the last. Nothing is noted on a connection that is
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

_SMALL_BYTES = 16 * 1024  # below what any system takes into its send buffer at once


@dataclass(slots=True, kw_only=True)
class Meter:
    """What one step has taken so far. ``stage`` is the phase it is in: where a failure strikes."""

    deadline_ns: int
    spent_ns: dict[Phase, int] = field(default_factory=dict)
    server_seconds: dict[Phase, float] = field(default_factory=dict)
    stage: Phase = Phase.CONNECT
    opened: int = 0
    requests: int = 0
    sent: int = 0
    received: int = 0
    elapsed_ns: int = 0
    unfinished_ns: int = 0
    first_ns: int | None = None
    last_ns: int = 0

    def begin_request(self) -> None:
        """Wait for the first thing the network does: the client's own work before it is not counted."""
        self.first_ns = None

    def end_request(self, *, failed: bool) -> None:
        """Add what the request took: until the last byte, or until now if it failed.

        The time a failed request spent in the phase that did not end is no phase, but it is known.
        """
        if self.first_ns is None:
            return
        end_ns = self.last_ns
        if failed:
            end_ns = time.perf_counter_ns()
            self.unfinished_ns += end_ns - max(self.first_ns, self.last_ns)
        self.elapsed_ns += end_ns - self.first_ns

    @property
    def unexplained_ns(self) -> int:
        """What neither a phase nor the unfinished one has: the client's own work between redirects."""
        return max(0, self.elapsed_ns - sum(self.spent_ns.values()) - self.unfinished_ns)

    @property
    def connection(self) -> str | None:
        """Say "new" or "reused"; None if nothing could be sent on any connection."""
        if self.opened:
            return "new"
        return "reused" if self.sent else None

    def begins(self, stage: Phase) -> int:
        """Enter a phase; gives the time."""
        self.stage = stage
        now = time.perf_counter_ns()
        if self.first_ns is None:
            self.first_ns = now
        return now

    def ends(self, phase: Phase, since_ns: int) -> int:
        """Note that a phase went on from ``since_ns`` until now; gives the time."""
        self.last_ns = time.perf_counter_ns()
        self.add(phase, self.last_ns - since_ns)
        return self.last_ns

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
        started = self.meter.begins(Phase.CONNECT)
        stream = self._connect(addresses, port, local_address, list(socket_options or ()))
        self.meter.ends(Phase.CONNECT, started)
        self.meter.opened += 1
        return TimedStream(stream, self)

    def _resolve(self, host: str, port: int) -> list[str]:
        if _is_address(host):
            return [host]
        started = self.meter.begins(Phase.RESOLVE)
        addresses = _look_up(host, port, self.meter.remaining(httpcore2.ConnectTimeout))
        self.meter.ends(Phase.RESOLVE, started)
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
        """Send, and begin to wait for the answer.

        A small part is in the kernel's hands as soon as the call begins: waiting starts there, so that
        a pause of this process inside the call is not taken from the server's time.
        """
        if not buffer:
            return
        meter = self._wire.meter
        started = meter.begins(Phase.PROCESSING)
        if self._waiting:
            meter.add(Phase.TRANSFER, started - self._written_ns)
        self._inner.write(buffer, meter.remaining(httpcore2.WriteTimeout))
        meter.sent += len(buffer)
        small = len(buffer) <= _SMALL_BYTES
        self._written_ns = started if small else meter.ends(Phase.TRANSFER, started)
        self._waiting = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  see connect_tcp
        """Receive; the first bytes after a write end ``processing``."""
        meter = self._wire.meter
        data = self._inner.read(max_bytes, meter.remaining(httpcore2.ReadTimeout))
        if self._waiting and data:
            self._read_ns = meter.ends(Phase.PROCESSING, self._written_ns)
            meter.stage = Phase.TRANSFER
            self._waiting = False
        elif not self._waiting:
            self._read_ns = meter.ends(Phase.TRANSFER, self._read_ns)
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
        started = meter.begins(Phase.TLS)
        secured = self._inner.start_tls(ssl_context, server_hostname, meter.remaining(httpcore2.ConnectTimeout))
        meter.ends(Phase.TLS, started)
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
    answer: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:  # a label of more than 63 characters is a UnicodeError
            answer.put(error)

    threading.Thread(target=ask, name="whichlayer-resolve", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise httpcore2.ConnectTimeout("the resolver did not answer") from None
    if isinstance(found, Exception):
        raise httpcore2.ConnectError(str(found)) from found
    return found
