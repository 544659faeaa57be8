"""Which kinds of statements took the time of a database in a window, and how long one takes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.store import Slice, Store

_MEAN, _BUSY = "db.statement.mean", "db.statement.busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of statement of one server, in the readings in which it was among the costliest.

    ``component`` is its name in verdicts, ``shape`` its text without values; ``slowest_seconds`` the highest mean
    of one reading.
    """

    component: str
    shape: str
    calls: float
    seconds: float
    mean_seconds: float
    slowest_seconds: float


@dataclass(slots=True)
class _Counted:
    calls: float = 0.0
    seconds: float = 0.0
    slowest: float = 0.0


def read(store: Store, start: datetime, end: datetime) -> Sequence[Kind]:
    """Give the kinds of statements, those first that took the most time."""
    rows = store.scan(
        "samples",
        Slice(start=start, end=end, where={"metric": [_MEAN, _BUSY]}),
        columns=["at", "component", "metric", "value", "period_seconds", "labels"],
    ).to_pylist()
    means = {(row["component"], row["labels"], row["at"]): row["value"] for row in rows if row["metric"] == _MEAN}
    counted: dict[tuple[str, str], _Counted] = {}
    for row in rows:
        mean = means.get((row["component"], row["labels"], row["at"]), 0.0)
        if row["metric"] != _BUSY or not row["period_seconds"] or mean <= 0:
            continue
        one = counted.setdefault((row["component"], row["labels"]), _Counted())
        one.seconds += row["value"] * row["period_seconds"]
        one.calls += row["value"] * row["period_seconds"] / mean
        one.slowest = max(one.slowest, mean)
    kinds = [_kind(component, labels, one) for (component, labels), one in counted.items()]
    return sorted(kinds, key=lambda kind: kind.seconds, reverse=True)


def _kind(component: str, labels: str, counted: _Counted) -> Kind:
    return Kind(
        component=component,
        shape=str(json.loads(labels).get("statement", "")),
        calls=counted.calls,
        seconds=counted.seconds,
        mean_seconds=counted.seconds / counted.calls if counted.calls else 0.0,
        slowest_seconds=counted.slowest,
    )
