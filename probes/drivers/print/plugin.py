"""Sends what the journey made, or a test page, to a printer and follows the job to its end.

The printer is reached by IPP or through the Windows spooler: two deliveries of one kind of order. Everything
before printing is walked by the HTTP driver. ``docs/drivers/print.md`` says what the numbers mean.
"""

import dataclasses
import mimetypes
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from collector.document import validate
from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, Phase, StepTiming
from probes.checkup import Checkup, package
from probes.driver import WalkContext
from probes.drivers import _uncertainty
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.plugin import HttpDriver, HttpSettings, OpenHttp
from probes.drivers.http.session import BODY_LIMIT
from probes.drivers.http.transport import trust
from probes.drivers.print import spooler_delivery
from probes.drivers.print.job import Delivery, Order
from probes.error_text import short
from probes.journey.file import Step
from probes.journey.printer import SPOOLER, PrintJob
from probes.windows.spooler import Spooler, this_spooler

_FACT_LENGTH = 100
_ADDRESS = re.compile(rf"ipps?://[^/\s]+(/\S*)?$|{SPOOLER}$")


class PrintSettings(HttpSettings):
    """How this endpoint reaches the application and the printer."""

    check_certificate: bool = Field(
        default=True,
        description="Whether an ipps:// printer must show a trusted certificate; many sign their own.",
    )


@dataclass(frozen=True, slots=True)
class PrintDriver:
    """Opens an HTTP session per run, and a conversation with the printer per document."""

    settings: PrintSettings = field(default_factory=PrintSettings)
    languages: frozenset[str] = frozenset({"requests", "printer"})

    def configured(self, settings: Mapping[str, Any]) -> "PrintDriver":
        """Give a driver with these settings. Raises ConfigError with every mistake."""
        return PrintDriver(validate(settings, PrintSettings, file="drivers.print"))

    def open(self, context: WalkContext) -> "OpenPrint":
        """Raises WhichlayerError for unusable certificates, missing test pages, and without the extra ``print``."""
        return OpenPrint(context, self.settings)

    def doctor(self) -> Checkup:
        """Printing needs the extra only; the floor is that of a step which prints at a printer, not at a queue."""
        usual = PrintJob.model_fields["poll"].default / 2
        floor = usual + _uncertainty.of_one_request_seconds()
        return Checkup(
            needs=(package("pyipp", extra="print", purpose="speaks IPP to printers"),),
            noise_floor_seconds=floor,
            noise_floor_of="half of the usual poll, clock and wake-up, a step that prints",
        )


class OpenPrint:
    """One run that prints."""

    def __init__(self, context: WalkContext, settings: PrintSettings, spooler: Spooler | None = None) -> None:
        self._context = context
        self._spooler = spooler  # None: that of this machine
        for step in context.journey.steps:
            if step.printer is not None:
                with suppress(KeyError):  # an address that a step before it captures
                    self._delivery(context.fill(step.printer.uri))
                if step.printer.file is not None:
                    _page_file(context, step.printer.file)
        self._trust = trust(ca_file=settings.ca_file) if settings.check_certificate else None
        self._web = _web(context, settings)
        self._clock_ns = _uncertainty.clock_resolution_ns() + _uncertainty.wake_up_ns()

    def perform(self, step: Step) -> StepTiming:
        """Print, or do the requests of a step that makes what is printed."""
        if step.printer is None:
            assert self._web is not None  # a step without printer has requests
            return self._web.perform(step)
        try:
            order = self._order(step, step.printer, *self._document(step, step.printer))
            deliver = self._delivery(order.uri)
        except StepEnded as end:
            return _unsent(step, end)
        except WhichlayerError as absent:
            return _unsent(step, StepEnded(Outcome.NOT_READY, "setup", str(absent)))
        delivery = deliver(order)
        self._note(delivery)
        return _counted(self._timing(step, delivery), step.printer, delivery)

    def close(self) -> None:
        """Close every connection to the application; the printer's are closed with each document."""
        if self._web is not None:
            self._web.close()

    def _document(self, step: Step, job: PrintJob) -> tuple[bytes, str]:
        """Give what is printed and its type. Raises StepEnded: not the safe record, or nothing that can be printed."""
        if job.file is not None:
            guessed, _ = mimetypes.guess_type(job.file)
            page = _page_file(self._context, job.file)
            return page.read_bytes(), guessed or "application/octet-stream"
        made, before = self._web.pages if self._web is not None else (None, None)
        marker = self._context.fill(step.safe_record or "")
        if made is None or not any(page is not None and page.shows(marker) for page in (made, before)):
            message = f"neither the document nor the page before it shows the safe record {marker!r}: nothing was sent"
            raise StepEnded(Outcome.NOT_READY, "safe_record", message)
        if not made.body or len(made.body) >= BODY_LIMIT:
            message = f"the answer before this step has {len(made.body)} bytes: nothing, or too much, to print"
            raise StepEnded(Outcome.BROKEN, "document", message)
        return made.body, made.headers.get("content-type", "application/octet-stream").partition(";")[0].strip()

    def _order(self, step: Step, job: PrintJob, document: bytes, kind: str) -> Order:
        uri = self._context.fill(job.uri)
        if not _ADDRESS.match(uri):
            raise StepEnded(
                Outcome.BROKEN, "address", f"{job.uri} gives {uri!r}, which is not the address of a printer"
            )
        if uri == SPOOLER and kind != job.format:
            # IPP printers refuse what they do not take; bytes through the spooler are printed, whatever they are.
            message = f"this is {kind}, and format says {job.format}: it must name what this printer takes as it is"
            raise StepEnded(Outcome.BROKEN, "format", f"{message}; nothing was sent")
        return Order(
            uri=uri,
            printer_name=self._context.fill(job.printer_name),
            job_name=f"whichlayer {self._context.run_id}",
            document=document,
            format=job.format or kind,
            timeout=step.timeout,
            poll=job.poll,
            patience=job.patience,
            trust=self._trust,
        )

    def _delivery(self, uri: str) -> Callable[[Order], Delivery]:
        """Give the way to this printer. Raises WhichlayerError where this endpoint cannot go it."""
        if uri == SPOOLER:
            return partial(spooler_delivery.deliver, spooler=self._spooler or this_spooler())
        return _by_ipp()

    def _note(self, delivery: Delivery) -> None:
        facts = self._context.facts
        if delivery.printer:
            facts["printer"] = delivery.printer[:_FACT_LENGTH]
        if delivery.pages is not None:
            facts["printed_pages"] = str(delivery.pages)

    def _timing(self, step: Step, delivery: Delivery) -> StepTiming:
        ended = delivery.ended
        seconds = delivery.seconds
        late = ended is not None and ended.outcome is Outcome.TIMEOUT
        unsent = ended is not None and ended.outcome is Outcome.NOT_READY
        slow = step.target is not None and seconds > step.target
        return StepTiming(
            step=step.step,
            outcome=ended.outcome if ended else Outcome.SLOW if slow else Outcome.OK,
            seconds=None if unsent else step.timeout if late else seconds,
            uncertainty_seconds=None if unsent else (self._clock_ns + delivery.unsure) / 1e9,
            censored=late,
            phases={phase: delivery.phases[phase] / 1e9 for phase in Phase if phase in delivery.phases},
            target_seconds=step.target,
            requests=delivery.requests,
            connection="new",
            error_kind=ended.kind if ended else None,
            error=short(str(ended)) if ended else None,
        )


def _unsent(step: Step, end: StepEnded) -> StepTiming:
    """Give the timing of a step in which nothing was sent to anybody."""
    return StepTiming(
        step=step.step,
        outcome=end.outcome,
        target_seconds=step.target,
        error_kind=end.kind,
        error=short(str(end)),
    )


def _counted(timing: StepTiming, job: PrintJob, delivery: Delivery) -> StepTiming:
    """Hold the pages against what the journey expects."""
    if job.pages is None or delivery.ended is not None or delivery.pages == job.pages:
        return timing
    if delivery.pages is None:
        message = "the printer does not say how many pages it printed: take pages out of the journey"
        return dataclasses.replace(timing, outcome=Outcome.BROKEN, error_kind="page_count", error=message)
    message = f"{delivery.pages} pages were printed, expected {job.pages}"
    return dataclasses.replace(timing, outcome=Outcome.FAILED, error_kind="page_count", error=message)


def _by_ipp() -> Callable[[Order], Delivery]:
    try:
        from probes.drivers.print.ipp_delivery import deliver  # noqa: PLC0415  its libraries are optional
    except ModuleNotFoundError as absent:
        raise WhichlayerError(
            f"printing needs the package {absent.name}: pip install 'whichlayer[print]' on this endpoint"
        ) from None
    return deliver


def _page_file(context: WalkContext, file: str) -> Path:
    path = context.journey.folder / file
    if not path.is_file():
        raise WhichlayerError(f"there is no test page {file} beside the journey {context.journey.name}")
    return path


def _web(context: WalkContext, settings: PrintSettings) -> OpenHttp | None:
    """Open the application's side, if the journey has one."""
    if not any(step.requests for step in context.journey.steps):
        return None
    return HttpDriver(HttpSettings(ca_file=settings.ca_file, proxy=settings.proxy)).open(context)


PLUGIN = PrintDriver()
