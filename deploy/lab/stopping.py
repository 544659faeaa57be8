"""Taking the lab down on every way out: its end, an error, Ctrl-C, SIGTERM."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(SystemExit):
    """The lab was asked to end by a signal."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM, SIGHUP and SIGINT into Stopped, once: while things are taken down, no more are heard."""
    heard = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, _stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(128 + number)
