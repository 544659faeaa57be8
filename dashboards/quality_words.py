"""The ledger of data quality in words, for the page and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from collector.model.quality import QualityEvent, QualityKind
from dashboards import quantity

KIND: Mapping[QualityKind, str] = {
    QualityKind.GAP: "gap in the runs",
    QualityKind.STALE_SOURCE: "nothing heard any more",
    QualityKind.SOURCE_FAILURE: "could not be read",
    QualityKind.CLOCK_SKEW: "clock off",
    QualityKind.JOURNEY_EDIT: "journey edited",
    QualityKind.COUNTER_RESET: "counters began anew",
    QualityKind.UNIT_SURPRISE: "unit in doubt",
    QualityKind.DROPPED_BATCH: "rows lost by an agent",
    QualityKind.IMPORT_WARNING: "file with a warning",
    QualityKind.REJECTED_ROWS: "rows refused",
    QualityKind.SPOOL_LOSS: "rows lost on the disk",
}
NOTHING = "The ledger has no entry for this time. That says nothing of what nobody watched."
NAMED = 3  # of many alike
_LASTING = frozenset({QualityKind.GAP, QualityKind.STALE_SOURCE, QualityKind.SOURCE_FAILURE, QualityKind.UNIT_SURPRISE})
_COUNTED = frozenset({"rows", "batches", "records", "resets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Entries that are alike but for what they are of: one source may have spoken of a hundred components."""

    events: Sequence[QualityEvent]

    @property
    def event(self) -> QualityEvent:
        """The first of them, which stands for all."""
        return self.events[0]

    @property
    def about(self) -> str:
        """Name what it is about: "lun-7 (storage)", "db-1, db-2, db-3 and 97 more (database)"."""
        names = list(dict.fromkeys(event.subject for event in self.events))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        layers = sorted({str(layer).replace("_", " ") for event in self.events for layer in event.layers})
        journey = f", {self.event.journey}" if self.event.journey else ""
        return ", ".join(names[:NAMED]) + more + journey + (f" ({', '.join(layers)})" if layers else "")

    @property
    def said(self) -> str:
        """Say what is wrong, and of what: "Could not be read: lun-7 (storage)"."""
        kind = KIND[self.event.kind]
        return f"{kind[0].upper()}{kind[1:]}: {self.about}"

    @property
    def amount(self) -> str:
        """Write how much."""
        return amount(self.event)

    def lasted(self, now: datetime) -> str:
        """Write how long it has been so."""
        return quantity.span(max(0.0, (now - self.event.at).total_seconds()))


def lines(events: Sequence[QualityEvent]) -> list[Line]:
    """Put together what is alike, newest first."""
    ordered = sorted(events, key=_alike)
    found = [Line(events=list(alike)) for _, alike in groupby(ordered, key=_alike)]
    return sorted(found, key=lambda line: (line.event.at, line.event.event_id), reverse=True)


def _alike(event: QualityEvent) -> tuple[str, ...]:
    minutes = f"{event.at:%Y-%m-%dT%H:%M}", "" if event.until is None else f"{event.until:%Y-%m-%dT%H:%M}"
    return event.kind, event.site, *minutes, event.journey or "", event.detail, amount(event)


def amount(event: QualityEvent) -> str:
    """Write how much: "3 rows", "12 min"; empty when it is not counted, or still lasts."""
    if event.amount is None or (event.kind in _LASTING and event.until is None):
        return ""
    if event.kind in _LASTING:
        return quantity.span((event.until - event.at).total_seconds()) if event.until else ""
    if event.unit in _COUNTED:
        return f"{event.amount:.0f} {event.unit}"
    return quantity.with_unit(event.amount, event.unit)
