"""What is to be printed, and what became of it: passed between the driver and the printer's protocol."""

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.model.run import Outcome, Phase
from probes.drivers.http.failure import StepEnded

TAKE_BACK = 2.0  # seconds for it: a printer that hangs does not answer this either
TAKEN_BACK = "the job was taken back"
NOT_TAKEN_BACK = "the job could not be taken back: it may still be printed"
_SILENCE = 1.0  # seconds without an answer, when the time is up, after which a printer counts as hung
_SECOND = 1_000_000_000  # ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One document for one printer. Durations in seconds; no ``trust`` takes any certificate.

    ``uri`` is an ``ipp://`` or ``ipps://`` address, and ``printer_name`` what must be there; or ``uri`` is
    ``spooler:`` and ``printer_name`` the pattern of a printer of this Windows session.
    """

    uri: str
    printer_name: str
    job_name: str
    document: bytes = field(repr=False)
    format: str
    timeout: float
    poll: float
    patience: float
    trust: ssl.SSLContext | None


@dataclass(slots=True, kw_only=True)
class Delivery:
    """What became of an order. Times are of ``perf_counter_ns``; phases in nanoseconds.

    ``offered`` from the moment the document was sent until the job is known to have ended: as long
    as it is set, there may be a job that has to be taken back.
    """

    began: int = field(default_factory=time.perf_counter_ns)
    phases: dict[Phase, int] = field(default_factory=dict)
    stage: Phase = Phase.CONNECT
    requests: int = 0
    offered: bool = False
    accepted: int | None = None
    job_id: int | None = None
    heard: int = 0  # when the printer last answered
    waiting: str = "unfinished"  # what a timeout would be, as long as it answers
    last_words: str = ""  # the printer's own, while the job does not end
    finished: int | None = None
    unsure: int = 0
    cups: bool = False
    printer: str | None = None
    pages: int | None = None
    ended: StepEnded | None = None

    @property
    def seconds(self) -> float:
        """Give the whole time, once it is over."""
        assert self.finished is not None
        return (self.finished - self.began) / 1e9

    def took(self, phase: Phase, begin: int) -> int:
        """Note a phase that ends now; gives the time."""
        now = time.perf_counter_ns()
        self.phases[phase] = self.phases.get(phase, 0) + now - begin
        return now

    def finish(self, *, not_before: int) -> None:
        """The job was seen ended now and not ended at ``not_before``: it ended between, so take the middle."""
        now = time.perf_counter_ns()
        self.offered = False
        self.finished = (not_before + now) // 2
        self.unsure += (now - not_before) // 2

    def close_phases(self) -> None:
        """It is over: what the spool phase took, also of a job that did not end."""
        if self.accepted is not None:
            self.phases[Phase.SPOOL] = (self.finished or time.perf_counter_ns()) - self.accepted
        self.finished = self.finished or time.perf_counter_ns()

    def add(self, words: str) -> None:
        """Say more of how it ended, if it did not end well."""
        if self.ended is not None:
            self.ended = StepEnded(self.ended.outcome, self.ended.kind, f"{self.ended}; {words}")


@dataclass(slots=True)
class Patience:
    """How long a job may stand still, in seconds, and since when it does."""

    seconds: float
    _since: int | None = None

    def judge(self, kind: str | None, words: str) -> None:
        """``kind`` keeps the job from going on now, None lets it. Raises StepEnded when it has for too long."""
        now = time.perf_counter_ns()
        if kind is None:
            self._since = None
            return
        self._since = self._since or now
        if now - self._since >= self.seconds * _SECOND:
            raise StepEnded(Outcome.FAILED, kind, f"{kind}: the job does not go on{words}")


def late(order: Order, delivery: Delivery) -> StepEnded:
    """Say what it means that the time is up."""
    if delivery.accepted is None:
        message = f"no answer within {order.timeout:g} s"
        hung = delivery.stage in {Phase.PROCESSING, Phase.TRANSFER}
        return StepEnded(Outcome.TIMEOUT, "hung" if hung else str(delivery.stage), message)
    silent = time.perf_counter_ns() - delivery.heard > (_SILENCE + order.poll) * _SECOND
    kind = "hung" if silent else delivery.waiting
    return StepEnded(Outcome.TIMEOUT, kind, f"not printed within {order.timeout:g} s: {kind}{delivery.last_words}")


def said(words: Sequence[str]) -> str:
    """Give a printer's own words as they stand behind a message; not more than four."""
    return f" ({', '.join(words[:4])})" if words else ""
