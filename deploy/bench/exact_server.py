"""A server that waits exactly as long as it is asked to before the first byte of its answer.

``GET /wait/<milliseconds>``; the time is taken from the moment the request was received whole. It
sleeps for most of the time and watches the clock for the last two milliseconds, so that neither
timer slack nor the scheduler adds to the wait. One connection at a time, in a process of its own.
"""

import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

_WATCH_SECONDS = 0.002
_BODY = b"waited\n"


@contextmanager
def running() -> Iterator[int]:
    """Run the server on loopback; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(listener,), daemon=True)
    process.start()
    listener.close()
    try:
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            _answer_all(connection)


def _answer_all(connection: socket.socket) -> None:
    request = b""
    while received := connection.recv(65536):
        request += received
        if not request.endswith(b"\r\n\r\n"):
            continue
        _wait(time.perf_counter() + _asked_seconds(request))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY))
        request = b""


def _wait(until: float) -> None:
    while (left := until - time.perf_counter()) > 0:
        if left > _WATCH_SECONDS:
            time.sleep(left - _WATCH_SECONDS)


def _asked_seconds(request: bytes) -> float:
    path = request.split(b" ", 2)[1]
    return int(path.rpartition(b"/")[2]) / 1000
