"""Work that may hang for ever, in a thread that is given up on, and never a second beside one that hangs.

A system call on a share or volume whose server has gone cannot be interrupted. While it hangs, what is known is that
it takes at least as long as it has taken so far: that is what a look gives, and no new work is begun.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from collector.model import sample

T = TypeVar("T")
AT_LEAST = sample.AT_LEAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Nothing came back yet, after so many seconds since the work was begun."""

    seconds: float


class Bounded(Generic[T]):
    """One piece of work at a time, waited for at most ``limit`` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._thread: threading.Thread | None = None
        self._begun = 0.0

    @property
    def hangs(self) -> bool:
        """Say whether work that was given up on has not come back yet."""
        return self._thread is not None and self._thread.is_alive()

    def run(self, work: Callable[[], T]) -> T | Late:
        """Do ``work``, which may raise OSError; while an earlier one hangs, only say for how long it has."""
        if self.hangs:
            return Late(seconds=time.monotonic() - self._begun)
        answer: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

        def go() -> None:
            try:
                answer.put(work())
            except Exception as error:  # noqa: BLE001  raised again where somebody waits for it
                answer.put(error)

        self._begun = time.monotonic()
        self._thread = threading.Thread(target=go, name="whichlayer-bounded", daemon=True)
        self._thread.start()
        try:
            given = answer.get(timeout=self._limit)
        except queue.Empty:
            return Late(seconds=time.monotonic() - self._begun)
        self._thread.join()  # it has nothing left to do
        if isinstance(given, Exception):
            raise given
        return given
