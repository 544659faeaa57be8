"""A connection that tells how it ended: a reset and a farewell are not the same news.

``ssl`` gives an empty read for both when it reads the socket itself. So the socket is read here, and
what it gives is handed to OpenSSL: an error of the network stays an error of the network. It also lets
the authorities be loaded before the clock runs: for every connection that takes longer than a handshake.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import httpcore2

T = TypeVar("T")

_PART_BYTES = 65536


class SocketStream(httpcore2.NetworkStream):
    """A connected socket, plain or after ``start_tls``. Raises httpcore2's errors, caused by the system's own."""

    def __init__(self, connection: socket.socket, *, ready: "Tls | None" = None, secured: bool = False) -> None:
        """``ready`` is what ``start_tls`` will use."""
        self._socket = connection
        self._ready = ready
        self._secured = ready if secured else None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive; empty when the other side has said that it is done."""
        with _told(httpcore2.ReadTimeout, httpcore2.ReadError):
            if self._secured is None:
                self._socket.settimeout(timeout)
                return self._socket.recv(max_bytes)
            try:
                return self._secured.do(self._socket, lambda tls: tls.read(max_bytes), timeout)
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        with _told(httpcore2.WriteTimeout, httpcore2.WriteError):
            if self._secured is not None:
                self._secured.do(self._socket, lambda tls: tls.write(buffer), timeout)
            elif buffer:
                self._socket.settimeout(timeout)
                self._socket.sendall(buffer)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "SocketStream":
        """Do the handshake."""
        ready = self._ready or Tls(ssl_context, server_hostname)
        with _told(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            ready.do(self._socket, lambda tls: tls.do_handshake(), timeout)
        return SocketStream(self._socket, ready=ready, secured=True)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the contract has it
        """Give ``ssl_object`` or ``socket``."""
        return {"ssl_object": self._secured and self._secured.tls, "socket": self._socket}.get(info)


class Tls:
    """OpenSSL between two buffers, which are filled from and emptied into a socket."""

    def __init__(self, context: ssl.SSLContext, name: str | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def do(self, connection: socket.socket, act: Callable[[ssl.SSLObject], T], timeout: float | None) -> T:
        """Act, and move bytes until it is done. Raises OSError, TimeoutError for the whole of it."""
        until = None if timeout is None else time.perf_counter() + timeout
        while True:
            done: list[T] = []
            with suppress(ssl.SSLWantReadError):  # nothing of it may stand behind an error of the network
                done.append(self._told_why(connection, act, until))
            self._send(connection, until)
            if done:
                return done[0]
            self._receive(connection, until)

    def _told_why(self, connection: socket.socket, act: Callable[[ssl.SSLObject], T], until: float | None) -> T:
        """Act; when that fails, let the far end have the alert that says what was wrong, if it still listens."""
        try:
            return act(self.tls)
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError:
            with suppress(OSError):
                self._send(connection, until)
            raise

    def _send(self, connection: socket.socket, until: float | None) -> None:
        waiting = self._outgoing.read()
        if waiting:
            connection.settimeout(_left(until))
            connection.sendall(waiting)

    def _receive(self, connection: socket.socket, until: float | None) -> None:
        connection.settimeout(_left(until))
        part = connection.recv(_PART_BYTES)
        if part:
            self._incoming.write(part)
        else:
            self._incoming.write_eof()


def _left(until: float | None) -> float | None:
    left = None if until is None else until - time.perf_counter()
    if left is not None and left <= 0:
        raise TimeoutError
    return left


@contextmanager
def _told(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:  # ssl.SSLError is one
        raise failed(str(error)) from error
