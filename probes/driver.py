"""The contract of a driver: what walks the steps of a journey on one kind of endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from collector.model.run import StepTiming
from probes.journey import Journey, Step


@dataclass(slots=True, kw_only=True)
class WalkContext:
    """What one run knows: grows as steps capture values. Secret values are in ``secrets`` only.

    ``traceparent`` is sent with every request; its trace id is the run id. ``facts`` ends up in the
    run (``release``, ``connection_policy``).
    """

    run_id: str
    journey: Journey
    values: dict[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class OpenDriver(Protocol):
    """A driver with its connection, browser or session open for exactly one run."""

    def perform(self, step: Step) -> StepTiming:
        """Do one step and time it. Never raises for what the service does: that is an Outcome."""
        ...

    def close(self) -> None:
        """Let go of everything; called once, also after a failed step."""
        ...


@runtime_checkable
class Driver(Protocol):
    """A kind of driver: ``PLUGIN`` of a module in ``probes/drivers/``."""

    def open(self, context: WalkContext) -> OpenDriver:
        """Get ready for one run: a fresh cookie jar, a fresh browser context, a fresh session."""
        ...
