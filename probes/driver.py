"""The contract of a driver: what walks the steps of a journey on one kind of endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self, runtime_checkable

from collector.model import trace
from collector.model.run import StepTiming
from probes.journey import placeholder
from probes.journey.file import Journey, Step


@dataclass(slots=True, kw_only=True)
class WalkContext:
    """What one run knows: grows as steps capture values. Secret values are in ``secrets`` only.

    ``facts`` ends up in the run (``release``, ``machine``).
    """

    run_id: str
    journey: Journey
    values: dict[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: dict[str, str] = field(default_factory=dict)

    def trace_headers(self, step: Step, request: int) -> dict[str, str]:
        """Give the headers by which a request of a step is told apart in the traces of the systems it reaches."""
        return trace.headers(self.run_id, [one.step for one in self.journey.steps].index(step.step), request)

    def fill(self, text: str) -> str:
        """Put variables and captured values into a text that may not hold secrets."""
        return placeholder.fill(text, {**self.values, "run_id": self.run_id})

    def fill_secret(self, text: str) -> str:
        """Put variables, captured values and secrets into a form, JSON or header value."""
        return placeholder.fill(text, {**self.values, **self.secrets, "run_id": self.run_id})


@runtime_checkable
class OpenDriver(Protocol):
    """A driver with its connection, browser or session open for exactly one run."""

    def perform(self, step: Step) -> StepTiming:
        """Do one step and time it. Never raises for what the service does: that is an Outcome.

        A step that acts (``step.acts``) is done only if the page looked at last shows its
        ``safe_record``; otherwise nothing is sent and the outcome is ``not_ready``.
        """
        ...

    def close(self) -> None:
        """Let go of everything; called once, also after a failed step."""
        ...


@runtime_checkable
class Witness(Protocol):
    """What an open driver may do besides: tell what the answer to its last step shows.

    Sessions held open need it to know why one ended, and what became of the work in it.
    """

    def shows(self, words: str) -> bool:
        """Say whether the words can be read there; False when the last step brought no answer."""
        ...

    def asks_for_password(self) -> bool:
        """Say whether it asks for a password; False when the last step brought no answer."""
        ...


class FarEnd(StrEnum):
    """What a new connection to the host of a session met."""

    SILENT = "silent"  # nothing answered: the link, the host itself, or what lies between
    REFUSED = "refused"  # the host answered, and nobody listens
    TAKES = "takes"  # it was taken, and nothing was heard over it
    GREETS = "greets"  # it was taken, and the service spoke


@runtime_checkable
class Caller(Protocol):
    """What an open driver may do besides: try the way to its session's host anew.

    Where a session gives no answer, its own connection cannot tell whether the session hangs or the link is cut.
    """

    def far_end(self) -> FarEnd | None:
        """Say what a new connection meets; None when it cannot be tried from here (a proxy, a client of its own)."""
        ...


@runtime_checkable
class Driver(Protocol):
    """A kind of driver: ``PLUGIN`` of a module in ``probes/drivers/``.

    ``languages`` are the keys of a step it can do (``probes.journey.LANGUAGES``); a plan with a step in
    another is refused before anything is walked.
    """

    @property
    def languages(self) -> frozenset[str]:
        """Give the languages of steps it speaks."""
        ...

    def configured(self, settings: Mapping[str, Any]) -> Self:
        """Give this driver with the settings of its endpoint (proxy, CA file); unknown keys raise ConfigError."""
        ...

    def open(self, context: WalkContext) -> OpenDriver:
        """Get ready for one run: a fresh cookie jar, a fresh browser context, a fresh session.

        Raises WhichlayerError if the endpoint is not ready for it (a certificate that is not there).
        """
        ...


def not_spoken(driver: Driver, journey: Journey) -> str | None:
    """Say in words which steps ``driver`` cannot do; None when it can do all."""
    foreign = [step for step in journey.steps if step.language not in driver.languages]
    if not foreign:
        return None
    steps = ", ".join(f"{step.step} ({step.language})" for step in foreign)
    return f"does not do {steps} of {journey.name}: it does steps with {', '.join(sorted(driver.languages))}"
