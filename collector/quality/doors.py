"""What known senders lost at the doors, and counters that began anew there: few entries of many, by the hour."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from collector.model.checks import as_name
from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind, detail, event_id

HOUR = timedelta(hours=1)
MOST = 1000  # senders and components of one hour
_Key = tuple[datetime, QualityKind, str, str]  # hour, kind, of whom, what is counted


@dataclass(slots=True, kw_only=True)
class _Count:
    first: datetime
    last: datetime
    amount: int
    reason: str
    layers: tuple[Layer, ...]
    told: int = 0


@dataclass(slots=True, kw_only=True)
class DoorNotes:
    """Counts; safe for many threads. An hour's entry is told once it is there, and once more when it is over."""

    site: str
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _counts: dict[_Key, _Count] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def refused(self, sender: str, amount: int, reason: str, *, unit: str = "rows") -> None:
        """Count ``amount`` rows or batches of one sender; the first reason in an hour is kept."""
        self._note(QualityKind.REJECTED_ROWS, as_name(sender) or "unknown", unit, amount, reason, ())

    def reset(self, component: str, layer: Layer, metric: str) -> None:
        """Count a counter of ``component`` that fell: it began anew."""
        why = f"{metric} fell: nothing is known of its growth until then"
        self._note(QualityKind.COUNTER_RESET, component, "resets", 1, why, (layer,))

    def take(self) -> list[QualityEvent]:
        """Give what was not told yet; what comes within the same hour is told when that is over."""
        now, events = self.clock(), []
        with self._lock:
            for key, count in list(self._counts.items()):
                over = key[0] + HOUR <= now
                if (over and count.amount > count.told) or not count.told:
                    events.append(self._event(key, count, now))
                    count.told = count.amount
                if over:
                    del self._counts[key]
        return events

    def _note(
        self, kind: QualityKind, subject: str, unit: str, amount: int, reason: str, layers: tuple[Layer, ...]
    ) -> None:
        now = self.clock().astimezone(UTC)
        key = now.replace(minute=0, second=0, microsecond=0), kind, subject, unit
        with self._lock:
            known = self._counts.get(key)
            if known is not None:
                known.amount, known.last = known.amount + amount, now
            elif len(self._counts) < MOST:
                self._counts[key] = _Count(first=now, last=now, amount=amount, reason=reason, layers=layers)

    def _event(self, key: _Key, count: _Count, now: datetime) -> QualityEvent:
        hour, kind, subject, unit = key
        return QualityEvent(
            event_id=event_id(kind, self.site, subject, unit, hour.isoformat(), count.first.isoformat()),
            told_at=now,
            at=count.first,
            until=max(count.last, count.first),
            site=self.site,
            kind=kind,
            subject=subject,
            layers=count.layers,
            detail=detail(count.reason),
            amount=float(count.amount),
            unit=unit,
        )
