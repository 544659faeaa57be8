"""Walks a journey as HTTP requests and measures the phases of every step at the socket.

``docs/journeys.md`` says what the numbers mean. No step is ever tried again: a retry would hide the
slowness that is looked for.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from collector.document import Document, validate
from collector.model.run import Outcome, Phase, StepTiming
from probes.checkup import Checkup
from probes.driver import WalkContext
from probes.drivers import _safe_record, _uncertainty
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Page
from probes.drivers.http.session import Session
from probes.drivers.http.transport import FROM_ENVIRONMENT, NO_PROXY, TimedTransport, trust
from probes.drivers.http.wire import Meter
from probes.error_text import short
from probes.journey.file import Connection, Step
from probes.journey.request import Request, VerifySaved


class HttpSettings(Document):
    """How this endpoint reaches the application."""

    ca_file: Path | None = Field(
        default=None, description="Additional certification authorities (PEM), besides those the system trusts."
    )
    proxy: str = Field(
        default=FROM_ENVIRONMENT,
        description="`environment` (HTTPS_PROXY, NO_PROXY, the system's settings), `none`, or a proxy's address.",
    )

    @field_validator("proxy")
    @classmethod
    def _address(cls, proxy: str) -> str:
        if proxy not in {FROM_ENVIRONMENT, NO_PROXY} and not proxy.startswith(("http://", "https://")):
            raise ValueError("must be environment, none, or an address beginning with http:// or https://")
        return proxy


@dataclass(frozen=True, slots=True)
class HttpDriver:
    """Opens one HTTP session per run."""

    settings: HttpSettings = field(default_factory=HttpSettings)
    languages: frozenset[str] = frozenset({"requests"})

    def configured(self, settings: Mapping[str, Any]) -> "HttpDriver":
        """Give a driver with these settings. Raises ConfigError with every mistake."""
        return HttpDriver(validate(settings, HttpSettings, file="drivers.http"))

    def open(self, context: WalkContext) -> "OpenHttp":
        """Start with no cookies and no connections. Raises WhichlayerError for unusable certificates."""
        return OpenHttp(context, self.settings)

    def doctor(self) -> Checkup:
        """Everything it needs comes with the agent; the floor is that of a step of one request."""
        floor = _uncertainty.of_one_request_seconds()
        return Checkup(noise_floor_seconds=floor, noise_floor_of="clock and wake-up, a step of one request")


class OpenHttp:
    """The HTTP session of one run."""

    def __init__(self, context: WalkContext, settings: HttpSettings) -> None:
        self._context = context
        shown = context.journey.client_certificate
        folder = context.journey.folder
        trusted = trust(
            ca_file=settings.ca_file,
            certificate=folder / shown.certificate if shown else None,
            key=folder / shown.key if shown and shown.key else None,
            passphrase=context.secrets[shown.passphrase] if shown and shown.passphrase else "",
        )
        self._transport = TimedTransport(run_id=context.run_id, trust=trusted, proxy=settings.proxy)
        self._session = Session(context, self._transport)
        self._resolution_ns = _uncertainty.clock_resolution_ns()
        self._wake_up_ns = _uncertainty.wake_up_ns()

    def perform(self, step: Step) -> StepTiming:
        """Do the requests of one step. Reading back for ``verify_saved`` is judged but not timed."""
        if step.acts and not self._sees_safe_record(step):
            return _safe_record.refused(step, self._context)
        if step.connection is Connection.NEW:
            self._transport.disconnect()
        meter = self._session.begin(step.timeout, step)
        ended: StepEnded | None = None
        try:
            for request in step.requests or ():
                self._session.do(request, step)
        except StepEnded as end:
            ended = end
        timing = self._timing(step, meter, ended)
        if ended is None and step.verify_saved is not None:
            return self._verified(timing, step.verify_saved, step.timeout)
        return timing

    def shows(self, words: str) -> bool:
        """Say whether the last step's answer has these words."""
        page = self._session.answer
        return page is not None and page.shows(words)

    def asks_for_password(self) -> bool:
        """Say whether the last step's answer is a page with a field for a password."""
        page = self._session.answer
        return page is not None and page.asks_again

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    @property
    def pages(self) -> tuple[Page | None, Page | None]:
        """Give the answer looked at last and the one before it, for a driver that acts on what this one fetched."""
        return self._session.page, self._session.previous

    def _sees_safe_record(self, step: Step) -> bool:
        page = self._session.page
        return page is not None and step.safe_record is not None and page.shows(self._context.fill(step.safe_record))

    def _timing(self, step: Step, meter: Meter, ended: StepEnded | None) -> StepTiming:
        seconds = meter.elapsed_ns / 1e9
        outcome = Outcome.OK
        if ended is not None:
            outcome = ended.outcome
        elif step.target is not None and seconds > step.target:
            outcome = Outcome.SLOW
        late = outcome is Outcome.TIMEOUT
        return StepTiming(
            step=step.step,
            outcome=outcome,
            seconds=step.timeout if late else seconds if meter.requests else None,
            uncertainty_seconds=self._uncertainty_seconds(meter) if meter.requests else None,
            censored=late,
            phases=_phases(meter),
            target_seconds=step.target,
            requests=meter.requests,
            connection=meter.connection,
            http_status=self._session.status,
            bytes_received=meter.received if meter.requests else None,
            error_kind=ended.kind if ended else None,
            error=short(str(ended)) if ended else None,
        )

    def _uncertainty_seconds(self, meter: Meter) -> float:
        """Add up: a late wake-up per request, what the phases leave unexplained, one tick of the clock."""
        return (self._resolution_ns + meter.requests * self._wake_up_ns + meter.unexplained_ns) / 1e9

    def _verified(self, timing: StepTiming, saved: VerifySaved, timeout_seconds: float) -> StepTiming:
        """Read back what was written; the step's own time stays as measured."""
        self._session.begin(timeout_seconds)
        marker = self._context.fill(saved.marker)
        try:
            page, _ = self._session.fetch(Request(path=saved.path, query=saved.query), timeout_seconds)
        except StepEnded as end:
            return _failed(timing, "not_verified", f"saved, but reading it back gave: {end}")
        if not page.shows(marker):
            return _failed(
                timing, "not_saved", f"the answer said saved, but {marker!r} is not there (status {page.status})"
            )
        return timing


def _phases(meter: Meter) -> dict[Phase, float]:
    taken = {phase: nanoseconds / 1e9 for phase, nanoseconds in meter.spent_ns.items()} | meter.server_seconds
    return {phase: taken[phase] for phase in Phase if phase in taken}


def _failed(timing: StepTiming, kind: str, message: str) -> StepTiming:
    return dataclasses.replace(timing, outcome=Outcome.FAILED, error_kind=kind, error=short(message))


PLUGIN = HttpDriver()
