"""Worker processes that end with the collector, however it ends, and are replaced when they end alone."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Workers(Executor):
    """A pool of spawned processes, started at its first work; a broken pool is made anew."""

    def __init__(self, count: int, begin: Callable[[], None] | None = None) -> None:
        """Get ready for ``count`` processes; each calls ``begin`` first, which has to be picklable."""
        self._count = count
        self._begin = begin
        self._lock = Lock()
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401
        """Run ``fn`` in a worker."""
        with self._lock:
            try:
                return self._open().submit(fn, *args, **kwargs)
            except BrokenProcessPool:
                self._pool = None
                return self._open().submit(fn, *args, **kwargs)

    def start(self, work: Callable[[], object]) -> None:
        """Start all processes with some work that is done soon: none is slow to begin when it is needed."""
        for _ in range(self._count):
            self.submit(work)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let running work finish, then end the processes."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _open(self) -> ProcessPoolExecutor:
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=spawn, initializer=_attach, initargs=(self._begin,)
            )
        return self._pool


def _attach(begin: Callable[[], None] | None) -> None:
    """Leave Ctrl-C to the collector, and end when it is gone: a pool alone would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
