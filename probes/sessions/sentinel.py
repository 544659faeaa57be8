"""The lost-work sentinel: leaves marked texts in a safe record, and looks for them after the session was lost.

Every text it writes holds a run id of its own, so that it can be found again and is nobody else's. It
acts on the record that the configuration names as safe, and on no other: the steps that write name the
same record, and a driver sees it before it acts.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from collector.model.run import MEASURED, StepTiming
from collector.model.session import Kept, SessionEvent
from probes.driver import OpenDriver, WalkContext, Witness
from probes.sessions.life import Life, Moment
from probes.sessions.plan import PlannedSession
from probes.sessions.settings import SentinelEntry
from probes.walk import perform

_log = structlog.get_logger("whichlayer.keeper")


@dataclass(slots=True)
class Work:
    """What was written in one session: the run ids in the last confirmed save and in what is left unsaved."""

    saved: str | None = None
    saved_at: float | None = None  # monotonic seconds
    unsaved: str | None = None


@dataclass(frozen=True, slots=True)
class LostSession:
    """A session that was lost, with the work that was done in it."""

    life: Life
    work: Work

    @property
    def at_risk_seconds(self) -> float:
        """Say how long nothing had been saved when the loss was seen: since the last save, else since the log-on."""
        ended = self.life.started.seconds + self.life.open_seconds
        since = self.life.started.seconds if self.work.saved_at is None else self.work.saved_at
        return round(max(ended - since, 0.0), 3)

    def told(self, at: Moment, saved: Kept, unsaved: Kept) -> SessionEvent | None:
        """Tell what became of the work; None when there was none."""
        if self.work.saved is None and self.work.unsaved is None:
            return None
        return self.life.read_back(
            at,
            saved=None if self.work.saved is None else saved,
            unsaved=None if self.work.unsaved is None else unsaved,
            at_risk_seconds=self.at_risk_seconds,
        )


class Sentinel:
    """Writes and reads back in sessions of one plan."""

    def __init__(self, planned: PlannedSession, entry: SentinelEntry) -> None:
        self._entry = entry
        self._open = planned.step(entry.open)
        self._save = planned.step(entry.save)
        self._leave = planned.step(entry.leave) if entry.leave else None

    def write(self, opened: OpenDriver, context: WalkContext, work: Work, now: Moment) -> Iterator[StepTiming]:
        """Save a text and leave another unsaved, noted in ``work``; gives each step done, up to one that failed."""
        timing = perform(opened, self._open)
        yield timing
        if timing.outcome not in MEASURED:
            return
        work.unsaved = None  # the application may let go of a draft as soon as something is saved
        context.run_id = uuid.uuid4().hex
        timing = perform(opened, self._save)
        if timing.outcome in MEASURED:
            work.saved, work.saved_at = context.run_id, now.seconds
        yield timing
        if timing.outcome not in MEASURED or self._leave is None:
            return
        context.run_id = uuid.uuid4().hex
        timing = perform(opened, self._leave)
        if timing.outcome in MEASURED:
            work.unsaved = context.run_id
        yield timing

    def read_back(self, opened: OpenDriver, lost: LostSession, at: Moment) -> SessionEvent | None:
        """Look for the work of a lost session in this one. What cannot be looked at is unknown, never lost."""
        seen = perform(opened, self._open).outcome in MEASURED
        if not seen or not isinstance(opened, Witness) or not opened.shows(self._entry.safe_record):
            event = lost.told(at, Kept.UNKNOWN, Kept.UNKNOWN)
        else:
            event = lost.told(at, _kept(opened, lost.work.saved), _kept(opened, lost.work.unsaved))
        if event is not None:  # with the texts a person can look for the same work
            _log.info("work read back", session=event.session_id, saved=lost.work.saved, unsaved=lost.work.unsaved,
                      saved_work=event.saved_work, unsaved_work=event.unsaved_work)  # fmt: skip
        return event


def _kept(opened: Witness, run_id: str | None) -> Kept:
    return Kept.KEPT if run_id is not None and opened.shows(run_id) else Kept.LOST
