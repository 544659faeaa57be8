"""What is to be printed, and what became of it: passed between the driver and the printer's protocol."""

import ssl
import time
from dataclasses import dataclass, field

from collector.model.run import Phase
from probes.drivers.http.failure import StepEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One document for one printer. Durations in seconds; no ``trust`` takes any certificate."""

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
