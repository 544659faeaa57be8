"""One browser process and the thread that owns it.

Playwright's objects belong to the thread that made them, and an agent walks every journey in a thread
of its own: so all work on a browser is handed to its owner, one piece at a time. That way two steps are
never measured at the same time in the same browser either. A browser that ended or no longer answers
is replaced when the next run begins.
"""

import atexit
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import psutil
from playwright.sync_api import Error as PlaywrightError

from collector.model.errors import WhichlayerError
from probes.drivers.browser import floor
from probes.drivers.browser.launch import START_SECONDS, Launch, Running, end, first_line, launched

T = TypeVar("T")
Work = Callable[[Running], Any]

_STOP_SECONDS = 5.0


class BrowserGone(Exception):
    """The browser ended, or was ended because it no longer answered."""


class BrowserProcess:
    """A browser that was started; ``hold`` counts the runs that use it, so that it is not closed under them."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._work: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._started: Future[int] = Future()
        self._held = 0
        self._gone = False
        self._thread = threading.Thread(target=self._own, name="browser", daemon=True)
        self._thread.start()
        try:
            self.pid = self._started.result(START_SECONDS)
        except TimeoutError:
            self._gone = True
            raise WhichlayerError(f"the browser did not start within {START_SECONDS:g} s") from None

    @property
    def alive(self) -> bool:
        """Say whether it can be used."""
        try:
            ended = psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            ended = True
        return not ended and not self._gone and self._thread.is_alive()

    def hold(self) -> None:
        """Count one run more; called with the lock of the registry."""
        self._held += 1

    def release(self) -> None:
        """Count one run less."""
        with _registry:
            self._held -= 1

    def call(self, work: Callable[[Running], T], *, within_seconds: float) -> T:
        """Do ``work`` in the owner thread and give what it gives.

        Time spent waiting for other work does not count. Raises BrowserGone when the browser ended
        or gave no answer in time: then it is killed, and what it left undone fails.
        """
        done: Future[T] = Future()
        begun = threading.Event()

        def go(running: Running) -> T:
            begun.set()
            return work(running)

        if not self.alive:
            raise BrowserGone("the browser has ended")
        self._work.put((go, done))
        while not begun.wait(1.0):
            if not self.alive:
                raise BrowserGone("the browser has ended")
        try:
            return done.result(within_seconds)
        except TimeoutError:
            self.kill()
            raise BrowserGone(f"the browser gave no answer for {within_seconds:g} s and was ended") from None

    def kill(self) -> None:
        """End the browser and Playwright's own process, whatever they are doing."""
        self._gone = True
        self._work.put(None)
        end(self.pid)

    def close(self) -> None:
        """End it in good order, or else without."""
        self._gone = True
        self._work.put(None)
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            self.kill()

    def _own(self) -> None:
        try:
            with launched(self.launch) as running:
                self._started.set_result(running.pid)
                self._serve(running)
                self._gone = True
        except (PlaywrightError, WhichlayerError) as error:
            self._gone = True
            if not self._started.done():
                self._started.set_exception(error)

    def _serve(self, running: Running) -> None:
        """Do the work that comes, until told to stop or idle for long."""
        while True:
            try:
                job = self._work.get(timeout=self.launch.idle_seconds)
            except queue.Empty:
                if self._retire():
                    return
                continue
            if job is None:
                return
            work, done = job
            try:
                done.set_result(work(running))
            except BaseException as error:  # noqa: BLE001  it belongs to who handed the work in
                done.set_exception(error)

    def _retire(self) -> bool:
        with _registry:
            self._gone = self._held == 0
            return self._gone


_registry = threading.Lock()
_running: dict[Launch, BrowserProcess] = {}


def held(launch: Launch) -> BrowserProcess:
    """Give the browser for these answers, started if there is none, and held for one run.

    Raises WhichlayerError when it cannot be started.
    """
    with _registry:
        found = _running.get(launch)
        if found is None or not found.alive:
            if found is not None:
                found.kill()
            found = _running[launch] = BrowserProcess(launch)
        found.hold()
        return found


def floor_of(launch: Launch) -> float:
    """Measure what opening a page costs the tool itself, in seconds. Raises WhichlayerError."""
    process = held(launch)
    try:
        process.call(lambda running: floor.measure(running.floor, running.browser), within_seconds=30.0)
        return process.call(lambda running: running.floor.seconds["open"], within_seconds=30.0)
    except (BrowserGone, PlaywrightError) as error:
        raise WhichlayerError(f"the browser ended: {first_line(error)}") from None
    finally:
        process.release()


@atexit.register
def close_all() -> None:
    """End every browser of this process: they would outlive it."""
    with _registry:
        processes = list(_running.values())
        _running.clear()
    for process in processes:
        process.close()
