"""Hands a document to a printer, follows its job to the end, and never leaves one behind."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyipp.enums import IppJobState, IppOperation, IppPrinterState

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded
from probes.drivers.print.ipp import Queue, connected
from probes.drivers.print.job import NOT_TAKEN_BACK, TAKE_BACK, TAKEN_BACK, Delivery, Order, Patience, late, said
from probes.printer_reasons import hindrance

_LOOK = 1.0  # seconds between two looks at the printer itself, at most
_SECOND = 1_000_000_000  # ns

_PRINTER = [
    "printer-name", "printer-info", "printer-make-and-model", "printer-state", "printer-state-reasons",
    "printer-state-message", "printer-is-accepting-jobs", "cups-version",
]  # fmt: skip
_JOB = ["job-id", "job-state", "job-state-reasons", "job-impressions-completed", "job-media-sheets-completed"]
_WAITING = {IppJobState.PENDING: "queued", IppJobState.HELD: "held"}
_ENDINGS = {IppJobState.ABORTED: "aborted", IppJobState.CANCELED: "cancelled"}


def deliver(order: Order) -> Delivery:
    """Print and follow: takes until the job has ended or the order's timeout. Never raises for what a printer does."""
    return asyncio.run(_deliver(order))


async def _deliver(order: Order) -> Delivery:
    delivery = Delivery()
    async with connected(order, delivery) as queue:
        try:
            async with asyncio.timeout(order.timeout):
                known = await _meet(queue, order, delivery)
                await _hand_over(queue, order, delivery)
                await _Following(queue, order, delivery, known=known).to_the_end()
        except TimeoutError:
            delivery.ended = late(order, delivery)
        except StepEnded as end:
            delivery.ended = end
        finally:
            delivery.close_phases()
            if delivery.offered:
                delivery.add(await _take_back(queue, order, delivery))
    return delivery


async def _meet(queue: Queue, order: Order, delivery: Delivery) -> frozenset[str]:
    """Ask the printer who it is and how it is, before it is given anything; gives its standing complaints."""
    begin = time.perf_counter_ns()
    printer = await _look(queue)
    asked = time.perf_counter_ns() - begin
    delivery.phases[Phase.PROCESSING] = asked - sum(delivery.phases.values())
    delivery.printer = printer.get("printer-make-and-model")
    delivery.cups = "cups-version" in printer
    names = [printer[key] for key in ("printer-name", "printer-info") if printer.get(key)]
    if order.printer_name not in names:
        called = " / ".join(repr(name) for name in names) or "without a name"
        raise StepEnded(
            Outcome.NOT_READY, "printer_name", f"not {order.printer_name!r} but {called} is there: nothing was sent"
        )
    reasons = _reasons(printer, "printer-state-reasons")
    if printer["printer-state"] == IppPrinterState.STOPPED:
        kind = hindrance(reasons) or "stopped"
        raise StepEnded(Outcome.FAILED, kind, f"{kind}: the printer stands still{said(reasons)}: nothing was sent")
    if printer.get("printer-is-accepting-jobs") is False:
        raise StepEnded(Outcome.FAILED, "rejecting", f"the printer takes no jobs{said(reasons)}: nothing was sent")
    return frozenset(reasons)


async def _hand_over(queue: Queue, order: Order, delivery: Delivery) -> None:
    begin = time.perf_counter_ns()
    delivery.stage, delivery.offered = Phase.TRANSFER, True
    try:
        answer = await queue.ask(
            IppOperation.PRINT_JOB,
            {"job-name": order.job_name, "document-format": order.format},
            # Printers that know it end the job themselves, should this process be gone by then.
            job={"job-cancel-after": max(1, round(order.timeout + TAKE_BACK))},
            document=order.document,
        )
    except StepEnded as end:
        delivery.offered = end.kind in {"reset", "protocol"}  # everything else says that there is no job
        raise
    delivery.job_id = _first(answer, "jobs", "job-id")["job-id"]
    delivery.accepted = delivery.took(Phase.TRANSFER, begin)
    delivery.stage = Phase.SPOOL


@dataclass(slots=True)
class _Following:
    """Looks at one job until it has ended; ``known`` are complaints the printer had before."""

    queue: Queue
    order: Order
    delivery: Delivery
    known: frozenset[str] = field(kw_only=True)
    looked: int = 0
    hindered: str | None = None
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(self.order.patience)

    async def to_the_end(self) -> None:
        """Return when the job is completed. Raises StepEnded when it ended otherwise or does not go on."""
        delivery = self.delivery
        assert delivery.accepted is not None
        not_before = delivery.accepted
        while True:
            asked = time.perf_counter_ns()
            job = await self._job()
            state = job["job-state"]
            if state > IppJobState.STOPPED:
                delivery.finish(not_before=not_before)
                delivery.unsure += _late_queue(delivery)
                delivery.pages = _pages(job)
                return _judge(state, _reasons(job, "job-state-reasons"))
            await self._look_at_printer(job)
            delivery.waiting = self.hindered or _WAITING.get(state, "unfinished")
            not_before = asked
            await asyncio.sleep(self.order.poll)

    async def _job(self) -> dict[str, Any]:
        asked = {"job-id": self.delivery.job_id, "requested-attributes": _JOB}
        try:
            return _first(await self.queue.ask(IppOperation.GET_JOB_ATTRIBUTES, asked), "jobs", "job-state")
        except StepEnded as end:
            if end.kind != "not_found":
                raise
        self.delivery.offered = False
        raise StepEnded(Outcome.FAILED, "forgotten", "the printer no longer knows the job: printed or not is not known")

    async def _look_at_printer(self, job: dict[str, Any]) -> None:
        now = time.perf_counter_ns()
        if now - self.looked < min(_LOOK, self.order.patience / 2) * _SECOND:
            return
        self.looked = now
        printer = await _look(self.queue)
        reasons = _reasons(printer, "printer-state-reasons")
        words = [printer["printer-state-message"]] if printer.get("printer-state-message") else []
        self.delivery.last_words = said([*reasons, *_reasons(job, "job-state-reasons"), *words])
        stopped = printer["printer-state"] == IppPrinterState.STOPPED or job["job-state"] == IppJobState.STOPPED
        self.hindered = hindrance(reasons) or ("stopped" if stopped else None)
        fresh = hindrance([reason for reason in reasons if reason not in self.known])
        self.patience.judge(self.hindered if stopped or fresh else None, self.delivery.last_words)


def _late_queue(delivery: Delivery) -> int:
    """Give how late a CUPS queue may have learnt of the end: it looks 1, 2, 4, 7, 12 and 20 s after it began."""
    if not delivery.cups or delivery.finished is None or delivery.accepted is None:
        return 0
    return min(max((delivery.finished - delivery.accepted) // 2, _SECOND), 8 * _SECOND)


def _judge(state: IppJobState, reasons: Sequence[str]) -> None:
    if state in _ENDINGS:
        raise StepEnded(Outcome.FAILED, _ENDINGS[state], f"the printer ended the job: {_ENDINGS[state]}{said(reasons)}")
    if "job-completed-with-errors" in reasons:
        raise StepEnded(Outcome.FAILED, "errors", f"the printer completed the job with errors{said(reasons)}")


async def _take_back(queue: Queue, order: Order, delivery: Delivery) -> str:
    """Cancel the job; says in words what is left at the printer."""
    try:
        async with asyncio.timeout(TAKE_BACK):
            job_id = delivery.job_id or await _find(queue, order.job_name)
            if job_id is None:
                return "no job is left"
            await queue.ask(IppOperation.CANCEL_JOB, {"job-id": job_id})
    except (TimeoutError, StepEnded):
        return NOT_TAKEN_BACK
    return TAKEN_BACK


async def _find(queue: Queue, name: str) -> int | None:
    """Look for a job whose number was never told."""
    asked = {"which-jobs": "not-completed", "my-jobs": True, "requested-attributes": ["job-id", "job-name"]}
    jobs = (await queue.ask(IppOperation.GET_JOBS, asked))["jobs"]
    return next((job["job-id"] for job in jobs if job.get("job-name") == name), None)


async def _look(queue: Queue) -> dict[str, Any]:
    answer = await queue.ask(IppOperation.GET_PRINTER_ATTRIBUTES, {"requested-attributes": _PRINTER})
    return _first(answer, "printers", "printer-state")


def _first(answer: dict[str, Any], group: str, needed: str) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(answer[group]), {})
    if needed not in found:
        raise StepEnded(Outcome.FAILED, "protocol", f"protocol: the printer's answer has no {needed}")
    return found


def _pages(job: dict[str, Any]) -> int | None:
    """Give the larger of printed sides and sheets: who counts only one says 0 of the other. None: counts neither."""
    counts = [job.get(key) for key in ("job-impressions-completed", "job-media-sheets-completed")]
    return max((count for count in counts if isinstance(count, int)), default=None)


def _reasons(attributes: dict[str, Any], key: str) -> list[str]:
    found = attributes.get(key)
    reasons = found if isinstance(found, list) else [found]
    return [reason for reason in reasons if reason and reason != "none"]
