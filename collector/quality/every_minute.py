"""The collector's own look at the data, done every minute: runs, samples, agents, doors, its spool."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from collector.model.quality import QualityEvent, QualityKind, event_id
from collector.quality import runs
from collector.quality.agents import AgentWatch
from collector.quality.doors import DoorNotes
from collector.quality.ledger import tell
from collector.quality.silence import Silence
from collector.quality.units import Units
from collector.store import Slice, Store

SECONDS = 60.0
FIRST_LOOK = timedelta(minutes=30)  # to know rhythms again after a restart
AGAIN = timedelta(minutes=10)  # samples that came late are seen for so long
AHEAD = timedelta(minutes=5)  # of clocks that are fast
_COLUMNS = ["at", "site", "component", "layer", "metric", "value"]


@dataclass(slots=True, kw_only=True)
class EveryMinute:
    """One minute's work; what could not be told is told the next time."""

    store: Store
    site: str
    notes: DoorNotes
    _waiting: list[QualityEvent] = field(default_factory=list)
    _lost: int = 0
    _looked: datetime | None = None
    _silence: Silence = field(init=False)
    _agents: AgentWatch = field(init=False)
    _units: Units = field(init=False)

    def __post_init__(self) -> None:
        self._silence, self._agents, self._units = Silence(self.store), AgentWatch(self.store), Units(self.store)

    def __call__(self) -> None:
        """Look once. Raises StoreError."""
        self.look(datetime.now(UTC))

    def look(self, now: datetime) -> None:
        """Tell what is new ``now``. Raises StoreError."""
        self._waiting += self.notes.take()
        lost = self.store.status().spool_lost_records
        if lost > self._lost:
            self._waiting.append(self._loss(now, lost - self._lost))
            self._lost = lost
        tell(self.store, self._waiting)
        self._waiting.clear()
        runs.look(self.store, now=now)
        self._agents.look(now)
        self._samples(now)

    def _samples(self, now: datetime) -> None:
        since = now - FIRST_LOOK if self._looked is None else self._looked - AGAIN
        samples = self.store.scan("samples", Slice(start=since, end=now + AHEAD), columns=_COLUMNS)
        self._silence.look(samples, now)
        self._units.look(samples, now)
        self._looked = now

    def _loss(self, now: datetime, records: int) -> QualityEvent:
        return QualityEvent(
            event_id=event_id(QualityKind.SPOOL_LOSS, self.site, now.isoformat()),
            told_at=now,
            at=now,
            until=now,
            site=self.site,
            kind=QualityKind.SPOOL_LOSS,
            subject="collector",
            detail="records of the spool were damaged on the disk: batches that were acknowledged are lost",
            amount=float(records),
            unit="records",
        )
