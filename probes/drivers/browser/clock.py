"""The time of a step on our clock, and the same moments on the browser's."""

import time
from dataclasses import dataclass

from playwright.sync_api import CDPSession


class StepClock:
    """The time of one step, and what is left of its limit. Starts when made."""

    def __init__(self, limit_seconds: float) -> None:
        self.limit_seconds = limit_seconds
        self.began = time.perf_counter()
        self.ended: float | None = None

    @property
    def left_milliseconds(self) -> float:
        """Give what is left, never 0: Playwright takes that for no limit at all."""
        return max(1.0, (self.limit_seconds - (time.perf_counter() - self.began)) * 1e3)

    @property
    def over(self) -> bool:
        """Say whether the limit is reached."""
        return time.perf_counter() - self.began >= self.limit_seconds

    def stop(self, at: float | None = None) -> None:
        """End the step, now or at an earlier moment of ours."""
        self.ended = at if at is not None else time.perf_counter()


@dataclass(frozen=True, slots=True)
class BrowserClock:
    """Turns our monotonic clock into the browser's."""

    offset_seconds: float

    @classmethod
    def read(cls, session: CDPSession) -> "BrowserClock":
        """Ask the browser for its time; good to half of what the answer takes, about a millisecond."""
        session.send("Performance.enable")
        asked = time.perf_counter()
        metrics = session.send("Performance.getMetrics")["metrics"]
        answered = time.perf_counter()
        session.send("Performance.disable")
        now = next(float(one["value"]) for one in metrics if one["name"] == "Timestamp")
        return cls(now - (asked + answered) / 2)

    def at(self, perf_counter: float) -> float:
        """Give the browser's time at ``perf_counter``."""
        return perf_counter + self.offset_seconds
