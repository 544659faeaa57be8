"""Values that cannot be what their unit says, by the components and metrics whose samples came in the last minutes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.plausible import surprise
from collector.model.quality import QualityEvent, QualityKind, detail, event_id
from collector.quality.lasting import Lasting, ended, key
from collector.store import Store

LEAST = 5  # values: one bad moment of a disk is possible
_SERIES = ["site", "component", "layer", "metric"]
_ASKED = [("value", "min"), ("value", "max"), ("value", "approximate_median"), ("value", "count"), ("at", "min")]


class Units:
    """One entry for each metric of a component while its values are impossible."""

    def __init__(self, store: Store) -> None:
        self._lasting = Lasting(store=store, mine=lambda event: event.kind is QualityKind.UNIT_SURPRISE)

    def look(self, samples: pa.Table, now: datetime) -> None:
        """Tell what is new in the samples of the last minutes, and what is over. Raises StoreError."""
        fine, wrong = set(), {}
        for row in _series(samples):
            event = _event(row, now)
            if event is not None:
                wrong[key(event)] = event
            else:
                fine.add((QualityKind.UNIT_SURPRISE, row["site"], row["component"], row["metric"]))
        over = [event for name, event in self._lasting.known(now).items() if name in fine]
        self._lasting.end(ended(event, now, now) for event in over)
        self._lasting.begin(wrong.values(), now)


def surprises(samples: pa.Table, now: datetime) -> Iterator[QualityEvent]:
    """Give one event for each metric of a component with such values, from the first of its samples."""
    for row in _series(samples):
        if (event := _event(row, now)) is not None:
            yield event


def _series(samples: pa.Table) -> list[dict[str, Any]]:
    seen = samples.filter(pc.and_(pc.is_in(samples["metric"], pa.array(CATALOGUE)), pc.not_equal(samples["value"], 0)))
    return [row for row in seen.group_by(_SERIES).aggregate(_ASKED).to_pylist() if row["value_count"] >= LEAST]


def _event(row: dict[str, Any], now: datetime) -> QualityEvent | None:
    middle = row["value_approximate_median"]
    what = surprise(CATALOGUE[row["metric"]], [row["value_min"], middle, row["value_max"]])
    if what is None:
        return None
    at = row["at_min"].replace(tzinfo=UTC)
    return QualityEvent(
        event_id=event_id(QualityKind.UNIT_SURPRISE, *(row[name] for name in _SERIES), at.isoformat()),
        told_at=now,
        at=at,
        site=row["site"],
        kind=QualityKind.UNIT_SURPRISE,
        subject=row["component"],
        layers=(Layer(row["layer"]),),
        detail=detail(
            f"{row['metric']}: {what.removeprefix(row['metric']).removeprefix(' is ')}: is its unit mapped right?"
        ),
        amount=middle,
        unit=CATALOGUE[row["metric"]].unit,
    )
