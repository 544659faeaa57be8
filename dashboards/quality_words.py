"""The ledger of data quality in words, for the page and the command line."""

from collections.abc import Mapping

from collector.model.quality import QualityEvent, QualityKind
from dashboards import quantity

KIND: Mapping[QualityKind, str] = {
    QualityKind.GAP: "gap in the runs",
    QualityKind.STALE_SOURCE: "source fell silent",
    QualityKind.SOURCE_FAILURE: "source could not be read",
    QualityKind.CLOCK_SKEW: "clock off",
    QualityKind.JOURNEY_EDIT: "journey edited",
    QualityKind.COUNTER_RESET: "counters began anew",
    QualityKind.UNIT_SURPRISE: "unit in doubt",
    QualityKind.DROPPED_BATCH: "rows lost by an agent",
    QualityKind.REJECTED_ROWS: "rows refused",
    QualityKind.SPOOL_LOSS: "rows lost on the disk",
}
NOTHING = "The ledger has no entry for this time. That says nothing of what nobody watched."


def about(event: QualityEvent) -> str:
    """Name what it is about: "desk-1, case-record"; the layers of which nothing was known."""
    name = event.subject if event.journey is None else f"{event.subject}, {event.journey}"
    layers = ", ".join(str(layer).replace("_", " ") for layer in event.layers)
    return f"{name} ({layers})" if layers else name


def amount(event: QualityEvent) -> str:
    """Write how much: "3 rows", "12 min"; empty when it is not counted, or still lasts."""
    if event.amount is None:
        return ""
    if event.kind in {QualityKind.GAP, QualityKind.STALE_SOURCE, QualityKind.SOURCE_FAILURE}:
        return quantity.span(event.amount)
    if event.unit in {"rows", "batches", "records"}:
        return f"{event.amount:.0f} {event.unit}"
    return quantity.with_unit(event.amount, event.unit)
