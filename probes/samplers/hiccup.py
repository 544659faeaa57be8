"""How long this machine was not run: sleeps that lasted longer than asked, with nothing on the machine to explain it.

A hypervisor that gives the processor to others often tells its guests nothing of it (``system.cpu.steal`` stays 0). A
sleeper sees it, as jHiccup does: a thread asks for 20 ms again and again. What a sleep took beyond that counts from
5 ms on, less what the agent's threads waited in the run queue meanwhile (``/proc/self/task/*/schedstat``) and less the
processor time the agent used itself: a busy machine, or a busy agent, is no machine that was not run.

Limits. A program that is stopped (a debugger, a frozen container) sees the same. Pauses below 25 ms are seen in part.
Linux only. It costs 50 wake-ups a second: 0.2 to 0.4 % of one processor.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.document import Document, validate
from collector.model.catalogue import CATALOGUE
from collector.model.sample import Sample

ASKED = 0.02  # seconds
LEAST = 0.005  # beyond it; timers and wake-ups of a quiet machine stay below
_TASKS = Path("/proc/self/task")


class HiccupSettings(Document):
    """Nothing is set."""


@dataclass(slots=True)
class _Seen:
    since: float
    total: float = 0.0
    longest: float = 0.0


class _OpenHiccup:
    def __init__(self, *, site: str, component: str) -> None:
        self._site = site
        self._component = component
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen = _Seen(time.monotonic())

    def read(self) -> Sequence[Sample]:
        """Give the share of the time since the last call, and the longest pause; the first call only begins."""
        if self._thread is None:
            self._seen = _Seen(time.monotonic())
            self._thread = threading.Thread(target=self._sleep, name="whichlayer-hiccup", daemon=True)
            self._thread.start()
            return []
        now = time.monotonic()
        with self._lock:
            seen, self._seen = self._seen, _Seen(now)
        period = now - seen.since
        if period <= 0:
            return []
        values = {"system.cpu.halted": min(1.0, seen.total / period), "system.cpu.halted.longest": seen.longest}
        return [self._sample(name, value, period) for name, value in values.items()]

    def hindrances(self) -> Sequence[str]:
        """Say so where the kernel does not tell who waited for a processor."""
        return (
            () if _waited() is not None else ("the kernel keeps no schedstat: a busy machine could not be told apart",)
        )

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _sleep(self) -> None:
        waited, used, began = _waited(), time.process_time(), time.monotonic()
        while not self._ended.is_set():
            time.sleep(ASKED)
            beyond = time.monotonic() - began - ASKED
            if beyond >= LEAST:
                now_waited, now_used = _waited(), time.process_time()
                if waited is not None and now_waited is not None:
                    self._tell(beyond - max(0.0, now_waited - waited) - (now_used - used))
                waited, used = now_waited, now_used
            began = time.monotonic()

    def _tell(self, pause: float) -> None:
        if pause < LEAST:
            return
        with self._lock:
            self._seen.total += pause
            self._seen.longest = max(self._seen.longest, pause)

    def _sample(self, metric: str, value: float, period: float) -> Sample:
        return Sample(
            site=self._site,
            component=self._component,
            layer=CATALOGUE[metric].layer,
            metric=metric,
            at=datetime.now(UTC),
            value=value,
            period_seconds=period,
        )


class _Hiccup:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenHiccup:
        """Open with HiccupSettings. Raises ConfigError."""
        validate(settings, HiccupSettings, file="agent.samplers")
        return _OpenHiccup(site=site, component=component)


PLUGIN = _Hiccup()


def _waited() -> float | None:
    """Add up how long the threads of this process have waited for a processor, in seconds; None where nobody tells."""
    total = 0
    try:
        for task in _TASKS.iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return total / 1e9
