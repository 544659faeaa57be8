"""Makes the faults of a scenario at their times, and remembers what was really done, and when.

It is told the time by whoever watches, once a second: nothing of it runs beside. What it knows is told
to nobody before the scenario is judged.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from deploy.lab.fault import Fault, Running
from deploy.lab.namespace import LabError
from deploy.lab.span import Span
from deploy.lab.trials.judging import Truth
from deploy.lab.trials.scenario import Planned
from deploy.lab.trials.timetable import strength_at
from deploy.lab.world import World


@dataclass(slots=True, kw_only=True)
class Injected:
    """What was done with one fault. ``alone`` is when nothing else was on, to see what it does by itself."""

    kind: str
    fault: Fault
    strength: float
    spans: list[Span] = field(default_factory=list)
    alone: Span | None = None
    _running: Running | None = None
    _now: float | None = None

    @property
    def truth(self) -> Truth | None:
        """Give who is to blame for it, None when nobody is."""
        return None if self.fault.truth is None else Truth(self.fault.truth, self.fault.link)

    def set(self, world: World, strength: float | None) -> None:
        """Turn it on, to another strength, or off (None). Raises LabError."""
        if strength == self._now:
            return
        if strength is None:
            self.stop()
        elif self._running is None:
            self._running = self.fault.start(world, strength)
            self.spans.append(Span.opened())
        elif self._running.turn is None:
            raise LabError(f"{self.kind} is on or off, nothing between: a scenario cannot give it a ramp")
        else:
            self._running.turn(strength)
        self._now = strength

    def stop(self) -> None:
        """Make it good again."""
        running, self._running, self._now = self._running, None, None
        if running is not None:
            self.spans[-1].close()
            running.stop()


class Injector:
    """The faults of one scenario."""

    def __init__(self, world: World, planned: Planned) -> None:
        self._world = world
        self._parts = planned.scenario.faults
        self._began: float | None = None
        self.injected = [
            Injected(kind=part.fault, fault=part.plugin, strength=strength)
            for part, strength in zip(self._parts, planned.strengths, strict=True)
        ]

    @property
    def skipped(self) -> str | None:
        """Say what this machine does not offer, None when all of it can be made."""
        return next((why for one in self.injected if (why := one.fault.skipped_because(self._world))), None)

    @property
    def truths(self) -> tuple[Truth, ...]:
        """Give who is to blame, each once."""
        return tuple(dict.fromkeys(one.truth for one in self.injected if one.truth is not None))

    def begun(self) -> tuple[Truth, ...]:
        """Give who is to blame by now."""
        return tuple(dict.fromkeys(one.truth for one in self._guilty() if one.spans and one.truth is not None))

    def latest_begin(self) -> datetime | None:
        """Give when the latest of the faults that somebody is to blame for began, None when none did."""
        return max((one.spans[0].begin for one in self._guilty() if one.spans), default=None)

    def elapsed(self) -> float:
        """Give the seconds since the scenario began."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def advance(self) -> None:
        """Make everything as the timetable has it now; the first call begins the scenario. Raises LabError."""
        if self._began is None:
            self._began = time.monotonic()
        seconds = self.elapsed()
        for part, one in zip(self._parts, self.injected, strict=True):
            one.set(self._world, strength_at(part, one.strength, seconds))

    def leave(self, only: Injected) -> None:
        """Turn everything off but one fault, at its full strength."""
        for one in self.injected:
            if one is not only:
                one.stop()
        only.stop()  # a ramp may have left it weaker
        only.set(self._world, only.strength)
        only.alone = only.spans[-1]

    def stop(self) -> None:
        """Make everything good again, whatever fails on the way."""
        problems = []
        for one in self.injected:
            try:
                one.stop()
            except LabError as problem:
                problems.append(str(problem))
        if problems:
            raise LabError("; ".join(problems))

    def _guilty(self) -> Iterator[Injected]:
        return (one for one in self.injected if one.truth is not None)
