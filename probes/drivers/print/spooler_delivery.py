"""Hands a document to a printer of this Windows session, follows its job in the spooler, and leaves none behind.

The functions of the spooler may take as long as a print server does, and nobody can stop them. So each is asked
on a thread of its own, and what comes after the time is up is put right by that thread.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded
from probes.drivers.print.failure import job_hindrance, printer_hindrance, spooler_refusal, standing
from probes.drivers.print.job import NOT_TAKEN_BACK, TAKE_BACK, TAKEN_BACK, Delivery, Order, Patience, late, said
from probes.windows.spooler import SpooledJob, Spooler
from probes.windows.spooler_layout import JobState, PrinterState

_LOOK = 1.0  # seconds between two looks at the printer itself, at most
_SECOND = 1_000_000_000  # ns
T = TypeVar("T")


def deliver(order: Order, spooler: Spooler) -> Delivery:
    """Print and follow: takes until the job has ended or the order's timeout. Never raises for what a spooler does."""
    conversation = _Conversation(order, spooler, Delivery(stage=Phase.PROCESSING))
    delivery = conversation.delivery
    try:
        conversation.print()
    except StepEnded as end:
        delivery.ended = end
    except TimeoutError:
        delivery.ended = late(order, delivery)
    finally:
        delivery.close_phases()
        conversation.leave()
    return delivery


@dataclass(slots=True)
class _Conversation:
    """One document, from finding its printer to the end of its job."""

    order: Order
    spooler: Spooler
    delivery: Delivery
    job: SpooledJob | None = None
    asked_to_stay: bool = False  # so it has to be taken out
    stays: bool = False  # seen to be kept, or all are: a wish that was taken need not be one that is fulfilled

    def print(self) -> None:
        """Return when the job is printed. Raises StepEnded, and TimeoutError when the time is up."""
        name = self._find()
        state = self._meet(name)
        job = self._hand_over(name, keep=not state.keeps)
        self.asked_to_stay, self.stays = job.kept, state.keeps
        self._follow(name, job, known=frozenset(state.words))

    def leave(self) -> None:
        """Leave nothing in the queue that would not be there had somebody else printed."""
        job, delivery = self.job, self.delivery
        if job is None:
            if delivery.offered:  # the thread that still hands it over will take it back
                delivery.add(NOT_TAKEN_BACK)
            return
        if delivery.offered or self.asked_to_stay:
            words = _taken_back(job)
            if delivery.offered:
                delivery.add(words)
        _asked(job.close)

    def _find(self) -> str:
        begin = time.perf_counter_ns()
        pattern = self.order.printer_name
        found = self._ask(lambda: self.spooler.names(pattern))
        self.delivery.took(Phase.PROCESSING, begin)
        if not found:
            message = f"not_found: this session has no printer {pattern!r}: nothing was sent"
            raise StepEnded(Outcome.FAILED, "not_found", message)
        if len(found) > 1:
            message = f"{len(found)} printers are called {pattern!r}: nothing was sent"
            raise StepEnded(Outcome.NOT_READY, "printer_name", message)
        return found[0]

    def _meet(self, name: str) -> PrinterState:
        begin = time.perf_counter_ns()
        state = self._ask(lambda: self.spooler.state(name))
        self.delivery.took(Phase.PROCESSING, begin)
        self.delivery.printer = state.driver or None
        kind = standing(state.words)
        if kind is not None:
            words = said(state.words)
            raise StepEnded(Outcome.FAILED, kind, f"{kind}: the printer stands still{words}: nothing was sent")
        return state

    def _hand_over(self, name: str, *, keep: bool) -> SpooledJob:
        order, delivery = self.order, self.delivery
        begin = time.perf_counter_ns()
        delivery.stage, delivery.offered = Phase.TRANSFER, True
        try:
            job = self._ask(
                lambda: self.spooler.send(name, title=order.job_name, content=order.document, keep=keep),
                too_late=_taken_back_and_closed,
            )
        except StepEnded:
            delivery.offered = False  # a document that is not whole is thrown away
            raise
        self.job, delivery.job_id = job, job.number
        delivery.accepted = delivery.took(Phase.TRANSFER, begin)
        delivery.stage = Phase.SPOOL
        return job

    def _follow(self, name: str, job: SpooledJob, *, known: frozenset[str]) -> None:
        delivery, patience, looked = self.delivery, Patience(self.order.patience), 0
        assert delivery.accepted is not None
        not_before, printer_words = delivery.accepted, frozenset[str]()
        while True:
            asked = time.perf_counter_ns()
            state = self._ask(job.look)
            if self._ended(state, not_before):
                return
            assert state is not None
            if asked - looked >= min(_LOOK, self.order.patience / 2) * _SECOND:
                printer_words, looked = frozenset(self._ask(lambda: self.spooler.state(name)).words), asked
            delivery.last_words = said(sorted(printer_words | state.words))
            own = job_hindrance(state.words)
            delivery.waiting = own or printer_hindrance(printer_words) or _waiting(state)
            patience.judge(own or printer_hindrance(printer_words - known), delivery.last_words)
            not_before = asked
            time.sleep(min(self.order.poll, max(0.0, self._left())))

    def _ended(self, state: JobState | None, not_before: int) -> bool:
        """Say whether it is printed. Raises StepEnded when it has ended otherwise, or nobody knows how."""
        if state is None:
            self.delivery.finish(not_before=not_before)
            self.asked_to_stay = False
            raise _gone(stays=self.stays)
        self.stays = self.stays or "retained" in state.words
        if "printed" in state.words:
            self.delivery.finish(not_before=not_before)
            self.delivery.pages = state.pages or None  # 0: the spooler did not count
            return True
        if (self.stays or self.asked_to_stay) and state.words & {"deleting", "deleted"}:
            self.delivery.finish(not_before=not_before)
            self.asked_to_stay = False
            raise StepEnded(Outcome.FAILED, "cancelled", "cancelled: somebody took the job out of the queue")
        return False

    def _left(self) -> float:
        return self.order.timeout - (time.perf_counter_ns() - self.delivery.began) / _SECOND

    def _ask(self, question: Callable[[], T], too_late: Callable[[T], None] | None = None) -> T:
        """Give the answer. Raises StepEnded when Windows says no, TimeoutError when the order's time is up."""
        left = self._left()
        if left <= 0:
            raise TimeoutError
        self.delivery.requests += 1
        asked = _asked(question)
        try:
            answer = asked.result(left)
        except TimeoutError:
            if too_late is not None:
                asked.add_done_callback(lambda done: None if done.exception() else too_late(done.result()))
            raise
        except OSError as error:
            raise spooler_refusal(error) from None
        self.delivery.heard = time.perf_counter_ns()
        return answer


def _gone(*, stays: bool) -> StepEnded:
    if stays:
        return StepEnded(
            Outcome.FAILED, "forgotten", "the spooler no longer knows the job: printed or not is not known"
        )
    message = (
        "the job left the queue between two looks: printed or not is not known; let the queue keep printed documents"
    )
    return StepEnded(Outcome.BROKEN, "unknown", message)


def _waiting(state: JobState) -> str:
    if "paused" in state.words:
        return "held"
    return "queued" if not state.words and state.position > 1 else "unfinished"


def _taken_back(job: SpooledJob) -> str:
    try:
        _asked(job.delete).result(TAKE_BACK)
    except OSError:  # a TimeoutError too
        return NOT_TAKEN_BACK
    return TAKEN_BACK


def _taken_back_and_closed(job: SpooledJob) -> None:
    with suppress(OSError):
        job.delete()
    job.close()


def _asked(question: Callable[[], T]) -> Future[T]:
    """Ask on a thread that nobody waits for at the end of the program."""
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001  raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="spooler").start()
    return answer
