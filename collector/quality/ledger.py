"""The ledger: who notices that something is wrong with the data tells it here; of each entry its last word holds."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from collector.model.facts import Facts
from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind, detail
from collector.rows import ledger_table
from collector.store import Batch, Slice, Store

SENDER = "ledger"
LONGEST = timedelta(days=31)  # how far back what still lasts is looked for
_MOMENT = timedelta(seconds=1)
_LAYERS = {str(layer): layer for layer in Layer}


def tell(store: Store, events: Iterable[QualityEvent]) -> None:
    """Keep events; the same words told again are kept once. Raises StoreFull."""
    told = tuple(events)
    if told:
        name = hashlib.sha256(repr(ledger_table(told).to_pylist()).encode()).hexdigest()[:32]
        store.append(Batch.of(Facts(quality=told), batch_id=f"{SENDER}:{name}", sender=SENDER))


def tell_changes(store: Store, found: Iterable[QualityEvent], known: Iterable[QualityEvent]) -> int:
    """Keep what the ledger does not say yet of events found again and again; give how many that were.

    ``known`` is what it says of their time; when it was told is not compared.
    """
    said = {event.event_id: event for event in known}
    new = [event for event in found if not _same(event, said.get(event.event_id))]
    tell(store, new)
    return len(new)


def between(store: Store, start: datetime, end: datetime) -> list[QualityEvent]:
    """Give what was wrong at some time of ``start`` to ``end``, in time. Raises StoreError."""
    return overlapping(events_of(rows_of(store, start, end)), start, end)


def lasting(store: Store, now: datetime) -> list[QualityEvent]:
    """Give what is wrong and has not ended. Raises StoreError."""
    return [event for event in between(store, now, now + _MOMENT) if event.until is None]


def rows_of(store: Store, start: datetime, end: datetime, *, snapshot: int | None = None) -> pa.Table:
    """Read the rows that may speak of ``start`` to ``end``. Raises StoreError."""
    return store.scan("ledger", Slice(start=start - LONGEST, end=end), snapshot=snapshot)


def events_of(rows: pa.Table) -> list[QualityEvent]:
    """Give the last word on each event, in time; those withdrawn are left out."""
    last: dict[str, Mapping[str, Any]] = {}
    for row in rows.to_pylist():
        known = last.get(row["event_id"])
        if known is None or row["told_at"] >= known["told_at"]:
            last[row["event_id"]] = row
    found = [_event(row) for row in last.values() if not row["withdrawn"]]
    return sorted(found, key=lambda event: (event.at, event.event_id))


def overlapping(events: Iterable[QualityEvent], start: datetime, end: datetime) -> list[QualityEvent]:
    """Choose what was wrong at some time of ``start`` to ``end``."""
    return [event for event in events if event.at < end and (event.until is None or event.until >= start)]


def _same(event: QualityEvent, known: QualityEvent | None) -> bool:
    if known is None:
        return event.withdrawn
    return not event.withdrawn and replace(event, told_at=known.told_at) == known


def _event(row: Mapping[str, Any]) -> QualityEvent:
    """Read a row back; a sender of columns may have written words that are none of ours."""
    at, until = row["at"].replace(tzinfo=UTC), row["until"]
    return QualityEvent(
        event_id=row["event_id"],
        told_at=row["told_at"].replace(tzinfo=UTC),
        at=at,
        until=None if until is None else max(at, until.replace(tzinfo=UTC)),
        site=row["site"],
        kind=QualityKind(row["event_kind"]),
        subject=row["subject"],
        journey=row["journey"],
        layers=_layers(row["layers"]),
        detail=detail(row["detail"] or ""),
        amount=row["amount"],
        unit=row["unit"],
    )


def _layers(text: str | None) -> tuple[Layer, ...]:
    try:
        words = json.loads(text or "[]")
    except ValueError:
        return ()
    return tuple(_LAYERS[word] for word in words if word in _LAYERS) if isinstance(words, list) else ()
