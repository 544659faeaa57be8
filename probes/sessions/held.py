"""One session that is logged on: used again and again until it is lost or its time is over."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from collector.model.run import MEASURED, Outcome, StepTiming
from collector.model.session import EndCause, SessionEvent
from probes.driver import OpenDriver, WalkContext
from probes.journey.file import Connection
from probes.sessions.life import Life, Look, Moment, Sign
from probes.sessions.plan import PlannedSession
from probes.sessions.sentinel import LostSession, Sentinel, Work
from probes.sessions.settings import SessionEntry
from probes.sessions.signs import look_at
from probes.walk import perform

RETRIES = 6  # looks within the grace, after which a session that does not answer is lost
_SHORTEST_RETRY = 0.2  # seconds
_NOT_THE_SESSIONS = frozenset({"not_saved", "not_verified"})  # failures of a save that say nothing of the session
_log = structlog.get_logger("whichlayer.keeper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How often things are done in a session, in seconds; ``work`` None: no sentinel."""

    every: float
    grace: float
    again: float
    work: float | None = None

    @classmethod
    def of(cls, entry: SessionEntry) -> "Tempo":
        """Take it from the settings."""
        work = entry.sentinel.every if entry.sentinel else None
        return cls(every=entry.every, grace=entry.grace, again=entry.again, work=work)

    @property
    def retry(self) -> float:
        """How soon a session that did not answer is looked at again."""
        return min(self.every, max(self.grace / RETRIES, _SHORTEST_RETRY))


def now() -> Moment:
    """Read both clocks."""
    return Moment(datetime.now(UTC), time.monotonic())


@dataclass(slots=True, kw_only=True)
class HeldSession:
    """A logged-on session with its driver open. ``keep`` takes each event as it happens."""

    planned: PlannedSession
    tempo: Tempo
    opened: OpenDriver
    context: WalkContext
    life: Life
    keep: Callable[[SessionEvent], None]
    sentinel: Sentinel | None = None
    work: Work = field(default_factory=Work)

    def hold(self, wait: Callable[[float], str | None]) -> LostSession | None:
        """Use it until it ends; gives the session if it was lost, None if it was closed as planned.

        ``wait`` waits so many seconds, and gives the reason when it is to be closed instead.
        """
        self.life, event = self.life.begin()
        self.keep(event)
        look_next = time.monotonic() + self.tempo.every
        work_next = time.monotonic() if self.sentinel else float("inf")
        while self.life.ended is None:
            due = look_next if self.life.trouble else min(look_next, work_next)
            reason = wait(max(due - time.monotonic(), 0.0))
            if reason is not None:
                self._close(reason)
            else:
                if self.life.trouble or due != work_next or not self._do_work():
                    self._look()
                    look_next = time.monotonic() + (self.tempo.retry if self.life.trouble else self.tempo.every)
                if due == work_next:
                    work_next = time.monotonic() + (self.tempo.work or 0.0)
        return None if self.life.ended is EndCause.USER else LostSession(self.life, self.work)

    def _look(self) -> None:
        step = self.planned.step(self.planned.entry.active)
        if self.life.trouble:  # what was open before may hang for its own reasons
            step = step.model_copy(update={"connection": Connection.NEW})
        self._tell(self._seen(perform(self.opened, step)))

    def _do_work(self) -> bool:
        """Write what the sentinel writes; False when something failed: then the session is looked at, at once."""
        assert self.sentinel is not None
        for timing in self.sentinel.write(self.opened, self.context, self.work, now()):
            look = self._seen(timing)
            if look.sign in {Sign.SAID, Sign.SIGN_IN}:
                self._tell(look)
                return True
            if timing.outcome is Outcome.NOT_READY:
                _log.warning("the sentinel wrote nothing", step=timing.step, reason=timing.error)
                return True
            if timing.outcome not in MEASURED and timing.error_kind not in _NOT_THE_SESSIONS:
                return False
        return True

    def _seen(self, timing: StepTiming) -> Look:
        return look_at(timing, self.opened, self.planned.entry.ended_by, now())

    def _tell(self, look: Look) -> None:
        self.life, event = self.life.after(look)
        if event is not None:
            self.keep(event)
            if event.cause is not None:
                _log.warning("a held session ended", cause=event.cause, detail=event.detail, session=event.session_id)

    def _close(self, reason: str) -> None:
        in_order = self.life.trouble is None
        self.life, event = self.life.closed(now(), reason)
        if event is not None:
            self.keep(event)
        if in_order and self.planned.entry.sign_out is not None:
            perform(self.opened, self.planned.step(self.planned.entry.sign_out))
