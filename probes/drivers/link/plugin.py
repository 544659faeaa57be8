"""Looks at external links: a national body's secure endpoint, a file drop, the report of a scheduled job.

``docs/drivers/link.md`` says what each outcome means and whom it points to. Nothing is sent twice,
nothing is written, no proxy is used and no redirect followed: the hop from here is what is measured.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx2
from pydantic import Field

from collector.document import Document, validate
from collector.model.run import Outcome, Phase, StepTiming
from probes.checkup import Checkup, package
from probes.driver import WalkContext
from probes.drivers import _uncertainty
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Page, disappointment
from probes.drivers.http.session import BODY_LIMIT
from probes.drivers.http.transport import trust
from probes.drivers.http.wire import Meter
from probes.drivers.link import certificate, file_drop
from probes.drivers.link.certificate import Shown
from probes.drivers.link.delivery import Delivery, delivery
from probes.drivers.link.endpoint import Asker, Seen, web
from probes.error_text import short
from probes.journey.file import Journey, Step
from probes.journey.link import Endpoint, FileDrop, Limits, Report


class LinkSettings(Document):
    """How this endpoint trusts the far end."""

    ca_file: Path | None = Field(
        default=None, description="Additional certification authorities (PEM), besides those the system trusts."
    )


@dataclass(frozen=True, slots=True)
class LinkDriver:
    """Opens nothing ahead: every step makes a connection of its own."""

    settings: LinkSettings = field(default_factory=LinkSettings)
    languages: frozenset[str] = frozenset({"link"})

    def configured(self, settings: Mapping[str, Any]) -> "LinkDriver":
        """Give a driver with these settings. Raises ConfigError with every mistake."""
        return LinkDriver(validate(settings, LinkSettings, file="drivers.link"))

    def open(self, context: WalkContext) -> "OpenLink":
        """Read the certificates. Raises WhichlayerError when one, or the package that reads them, is missing."""
        return OpenLink(context, self.settings)

    def doctor(self) -> Checkup:
        """Certificates alone need a package of their own; the floor is that of a look with one request."""
        reader = package("cryptography", extra="link", purpose="reads the certificates of https:// and tls://")
        return Checkup(
            needs=(replace(reader, optional=True),),
            noise_floor_seconds=_uncertainty.of_one_request_seconds(),
            noise_floor_of="clock and wake-up, a look at one place",
        )


class OpenLink:
    """The looks of one run."""

    def __init__(self, context: WalkContext, settings: LinkSettings) -> None:
        self._context = context
        shown = context.journey.client_certificate
        folder = context.journey.folder
        if _uses_tls(context.journey):
            certificate.need_cryptography()
        self._trust = trust(
            ca_file=settings.ca_file,
            certificate=folder / shown.certificate if shown else None,
            key=folder / shown.key if shown and shown.key else None,
            passphrase=context.secrets[shown.passphrase] if shown and shown.passphrase else "",
        )
        self._own_left = certificate.left_of(folder / shown.certificate) if shown else None
        self._resolution_ns = _uncertainty.clock_resolution_ns()
        self._wake_up_ns = _uncertainty.wake_up_ns()

    def perform(self, step: Step) -> StepTiming:
        """Look once. A step that says it acts is refused: this driver never sees a safe record."""
        if step.acts:
            return _refused(step)
        look = _Look(step, self._context, self._trust)
        ended: StepEnded | None = None
        try:
            look.make()
            self._warn(look)
        except StepEnded as end:
            ended = end
        except file_drop.Late:
            ended = StepEnded(
                Outcome.TIMEOUT, "file_silent", f"no end within {step.timeout:g} s: the share does not answer"
            )
        for name, value in look.facts.items():
            self._context.facts[f"{step.step}.{name}"] = value
        return self._timing(step, look, ended)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _warn(self, look: "_Look") -> None:
        """Raise StepEnded as ``ok`` with the kind of a certificate that ends soon."""
        shown, secured = look.shown, look.secured
        if shown is None or secured is None:
            return
        if self._own_left is not None:
            look.facts["client_certificate_left"] = certificate.days(self._own_left)
            if self._own_left < secured:
                _ends_soon("client_certificate_expiring", "the certificate of this endpoint", self._own_left)
        if shown.left_seconds < secured:
            _ends_soon("certificate_expiring", f"of the far end's certificates {shown.ends_first}", shown.left_seconds)

    def _timing(self, step: Step, look: "_Look", ended: StepEnded | None) -> StepTiming:
        meter = look.meter
        began = meter.first_ns is not None
        seconds = meter.elapsed_ns / 1e9
        outcome = ended.outcome if ended else Outcome.OK
        if outcome is Outcome.OK and step.target is not None and seconds > step.target:
            outcome = Outcome.SLOW
        late = outcome is Outcome.TIMEOUT
        uncertainty_ns = self._resolution_ns + self._wake_up_ns + meter.unexplained_ns
        return StepTiming(
            step=step.step,
            outcome=outcome,
            seconds=step.timeout if late else seconds if began else None,
            uncertainty_seconds=uncertainty_ns / 1e9 if began else None,
            censored=late,
            phases=_phases(meter),
            target_seconds=step.target,
            requests=meter.requests,
            connection=meter.connection,
            http_status=look.seen.page.status if look.seen.page and meter.requests else None,
            bytes_received=meter.received if meter.requests else None,
            error_kind=ended.kind if ended else None,
            error=short(str(ended)) if ended else None,
        )


class _Look:
    """What one step looks at, and what it finds. ``secured`` is the least time a certificate must have left."""

    def __init__(self, step: Step, context: WalkContext, trusted: ssl.SSLContext) -> None:
        self._step = step
        self._context = context
        self._trust = trusted
        self.meter = Meter(deadline_ns=time.perf_counter_ns() + round(step.timeout * 1e9))
        self.seen = Seen()
        self.shown: Shown | None = None
        self.facts: dict[str, str] = {}
        self.secured: float | None = None

    def make(self) -> None:
        """Do it. Raises StepEnded, Late."""
        check = self._step.link
        if check is None:
            raise StepEnded(Outcome.BROKEN, "language", "says nothing about a link")
        if check.endpoint is not None:
            self._ask(check.endpoint)
        elif check.file_drop is not None:
            self._file_drop(check.file_drop)
        elif check.report is not None:
            self._report(check.report)

    def _ask(self, endpoint: Endpoint) -> None:
        self.secured = endpoint.certificate_left
        asker = Asker(context=self._context, trust=self._trust, meter=self.meter, timeout_seconds=self._step.timeout)
        try:
            asker.ask(endpoint, self.seen)
        finally:
            self.shown = self.seen.presented.read() if self.seen.presented else None
            self.facts.update(self.shown.facts if self.shown else {})

    def _file_drop(self, drop: FileDrop) -> None:
        with self._timed():
            found = file_drop.newest(self._place(drop.path), self.meter)
        self.facts["files"] = str(found.count)
        self._judge(drop, Delivery(age_seconds=(datetime.now(UTC) - found.changed).total_seconds(), size=found.size))

    def _report(self, report: Report) -> None:
        fill = self._context.fill
        if report.url is not None:
            self._ask(web(report))
            page = self.seen.page
            if page is None:
                raise StepEnded(Outcome.BROKEN, "address", "gave no answer to read")
            self._judge(report, delivery(report, page, fill, size=_size_of(page), now=datetime.now(UTC)))
            return
        with self._timed():
            found = file_drop.newest(self._place(report.file or ""), self.meter)
            body = file_drop.content(found.path, BODY_LIMIT, self.meter) if report.reads else b""
        page = Page(url=httpx2.URL("file:"), status=200, headers=httpx2.Headers(), body=body, charset="utf-8")
        lacking = disappointment(page, report.expect, fill)
        if lacking is not None:
            raise StepEnded(Outcome.FAILED, lacking.kind, lacking.message.replace("the answer", "the newest file"))
        self._judge(report, delivery(report, page, fill, changed=found.changed, size=found.size, now=datetime.now(UTC)))

    def _judge(self, limits: Limits, found: Delivery) -> None:
        self.facts.update(found.facts)
        found.judge(limits)

    def _place(self, written: str) -> Path:
        return self._context.journey.folder / Path(self._context.fill(written)).expanduser()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        self.meter.begin_request()
        failed = True
        try:
            yield
            failed = False
        finally:
            self.meter.end_request(failed=failed)


def _phases(meter: Meter) -> dict[Phase, float]:
    """Give the phases; the far end's part is what it kept us waiting beyond a round trip, which connecting shows."""
    taken = {phase: nanoseconds / 1e9 for phase, nanoseconds in meter.spent_ns.items()}
    if Phase.CONNECT in taken and Phase.PROCESSING in taken:
        taken[Phase.SERVER_EXTERNAL] = max(0.0, taken[Phase.PROCESSING] - taken[Phase.CONNECT])
    return {phase: taken[phase] for phase in Phase if phase in taken}


def _uses_tls(journey: Journey) -> bool:
    urls = [one.url for step in journey.steps if step.link for one in (step.link.endpoint, step.link.report) if one]
    return any(url is not None and url.startswith(("https://", "tls://")) for url in urls)


def _ends_soon(kind: str, whose: str, left_seconds: float) -> NoReturn:
    raise StepEnded(Outcome.OK, kind, f"{whose} ends in {certificate.days(left_seconds)}: renew it")


def _size_of(page: Page) -> int:
    told = page.headers.get("content-length", "")
    return int(told) if told.isdecimal() else len(page.body)


def _refused(step: Step) -> StepTiming:
    return StepTiming(
        step=step.step,
        outcome=Outcome.NOT_READY,
        target_seconds=step.target,
        error_kind="safe_record",
        error="a look at a link never acts and shows no safe record: nothing was sent",
    )


PLUGIN = LinkDriver()
