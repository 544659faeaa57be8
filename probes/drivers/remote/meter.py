"""What a step in a remote session has taken so far."""

import time
from dataclasses import dataclass, field

from collector.model.run import Phase
from probes.drivers.remote.viewer import Moment, Picture


@dataclass(slots=True)
class Meter:
    """What a step has taken so far, in seconds."""

    deadline: float
    spent: dict[Phase, float] = field(default_factory=dict)
    uncertainty: float = 0.0
    secret_typed: bool = False
    since: Moment | None = None  # the input whose answer is waited for
    echoed: Moment | None = None  # when the first sign of what was typed then was seen
    reference: Picture | None = field(default=None, repr=False)  # the picture before it

    def add(self, phase: Phase, start: Moment, end: Moment) -> None:
        """Count the time from ``start`` to ``end``; each ends where the next begins, so both ± count once."""
        self.spent[phase] = self.spent.get(phase, 0.0) + max(0.0, end.at - start.at)

    def answered(self, start: Moment, end: Moment) -> None:
        """Count a wait for the picture, with the ± of both its ends."""
        self.add(Phase.DISPLAY, start, end)
        self.uncertainty += start.half + end.half
        self.since = self.echoed = self.reference = None

    def divide(self, inside: Moment | None) -> None:
        """Tell apart what the wait counted last took in the session, if it was timed there; the sum stays."""
        if inside is not None:
            self.spent[Phase.DISPLAY] = max(0.0, self.spent[Phase.DISPLAY] - inside.at)
            self.spent[Phase.PROCESSING] = self.spent.get(Phase.PROCESSING, 0.0) + inside.at

    @property
    def waiting(self) -> float:
        """The time since an input that has had no answer yet."""
        return time.perf_counter() - self.since.at if self.since else 0.0
