"""How far a measured time can be from the true one, on this machine, now."""

import socket
import threading
import time

_ROUNDS = 15
_PAUSE_SECONDS = 0.0005


def clock_resolution_ns() -> int:
    """Give the smallest step of the clock that durations are taken from, as seen by reading it."""
    steps = []
    for _ in range(50):
        first = second = time.perf_counter_ns()
        while second == first:
            second = time.perf_counter_ns()
        steps.append(second - first)
    return min(steps)


def wake_up_ns() -> int:
    """Give how late this process learns that a byte has arrived: 90 % of 15 tries are quicker.

    A thread writes the time into a socket; the reader, asleep until then, looks at the clock when it
    has the byte. It holds what a busy machine adds to every measured moment: interrupt, scheduler,
    interpreter. Takes about 10 ms.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        sender = threading.Thread(target=_send, args=(writer,), daemon=True)
        sender.start()
        delays = sorted(_delay_ns(reader) for _ in range(_ROUNDS))
        sender.join()
    return delays[int(0.9 * _ROUNDS)]


def of_one_request_seconds() -> float:
    """Give the smallest ± a step of one request can have: one tick of the clock and one late wake-up."""
    return (clock_resolution_ns() + wake_up_ns()) / 1e9


def _send(writer: socket.socket) -> None:
    for _ in range(_ROUNDS):
        time.sleep(_PAUSE_SECONDS)
        writer.sendall(time.perf_counter_ns().to_bytes(8, "big"))


def _delay_ns(reader: socket.socket) -> int:
    sent = reader.recv(8)
    return max(0, time.perf_counter_ns() - int.from_bytes(sent, "big"))
