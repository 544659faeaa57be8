"""Servers made of plain sockets, for everything a well-behaved server never does."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], None]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def serving(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Give every connection to ``behaviour`` in a thread of its own; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, behaviour, tls), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):  # wakes the thread that waits in accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_handle, args=(connection, behaviour, tls), daemon=True).start()


def _handle(connection: socket.socket, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        if tls is None:
            behaviour(connection)
            return
        with tls.wrap_socket(connection, server_side=True) as secured:
            behaviour(secured)


def request_of(connection: socket.socket) -> bytes:
    """Read one request without a body; empty when the other side has gone."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        part = connection.recv(65536)
        if not part:
            return b""
        received += part
    return received


def answering(answer: bytes = ANSWER) -> Behaviour:
    """Answer every request on the connection the same way."""

    def behave(connection: socket.socket) -> None:
        while request_of(connection):
            connection.sendall(answer)

    return behave


def relaying(port: int, sent: list[bytes], got: list[bytes]) -> Behaviour:
    """Pass everything on to ``port`` of this machine and back, and keep what went by."""

    def behave(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as onwards:
            back = threading.Thread(target=_passed, args=(onwards, connection, got), daemon=True)
            back.start()
            _passed(connection, onwards, sent)
            back.join(5)

    return behave


def _passed(source: socket.socket, target: socket.socket, kept: list[bytes]) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            kept.append(part)
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
