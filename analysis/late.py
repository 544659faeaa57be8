"""Facts that came after their time had been judged: which times to judge again.

At each analysis the facts before its window are counted by hour. When there are more of them later, they came late,
and their hours are judged again; so is a time that no analysis looked at, because none ran. One stretch of at most six
hours is judged again per analysis, the oldest first: what is left waits for the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collector.model.judged import Judged
from collector.store import Slice, Store

BACK = timedelta(hours=24)  # what comes later than this changes no verdict
MOST = timedelta(hours=6)
HOUR = timedelta(hours=1)
TABLES = ("runs", "samples")
Rows = Mapping[str, Mapping[datetime, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A time to judge again, and how many facts of it were not there when it was judged."""

    start: datetime
    end: datetime
    rows: Mapping[str, int]

    @property
    def words(self) -> str:
        """Say it."""
        counts = " and ".join(f"{count} {name}" for name, count in self.rows.items() if count)
        span = f"{self.start:%Y-%m-%d %H:%M} to {self.end:%H:%M} UTC"
        return f"{counts} of {span} came late" if counts else f"{span} had not been analysed"


def look(
    store: Store, before: Judged | None, *, snapshot: int, start: datetime, now: datetime
) -> tuple[Late | None, Judged]:
    """Count the facts before ``start``, and give the oldest time that has more than ``before`` knew.

    What is given back is to be kept once that time was judged again.
    """
    begin = _hour(start - BACK)
    if before is None or before.until <= begin:
        return None, Judged(until=start, to=now, rows=_count(store, snapshot, begin, start))
    again = _count(store, snapshot, begin, before.until)
    more = {name: _more(again[name], before.rows.get(name, {})) for name in TABLES}
    chosen = _first_stretch(sorted({hour for found in more.values() for hour in found}))
    whole = _sum(again, _count(store, snapshot, before.until, start))
    known = {name: dict(whole[name]) for name in TABLES}
    for name in TABLES:
        for hour in more[name].keys() - set(chosen):
            known[name][hour] = before.rows.get(name, {}).get(hour, 0)  # it waits: it is late next time too
    kept = Judged(until=start, to=now, rows=known)
    if chosen:
        rows = {name: sum(more[name].get(hour, 0) for hour in chosen) for name in TABLES}
        return Late(start=chosen[0], end=min(chosen[-1] + HOUR, start), rows=rows), kept
    if before.to < start:
        end = min(start, before.to + MOST)
        unseen = replace(kept, to=now if end == start else end)
        return Late(start=before.to, end=end, rows={}), unseen
    return None, kept


def _count(store: Store, snapshot: int, start: datetime, end: datetime) -> dict[str, dict[datetime, int]]:
    found = {}
    for name in TABLES:
        table = store.counts(name, Slice(start=start, end=end), snapshot=snapshot).to_pydict()
        found[name] = {hour.replace(tzinfo=UTC): rows for hour, rows in zip(table["hour"], table["rows"], strict=True)}
    return found


def _more(again: Mapping[datetime, int], before: Mapping[datetime, int]) -> dict[datetime, int]:
    return {hour: rows - before.get(hour, 0) for hour, rows in again.items() if rows > before.get(hour, 0)}


def _sum(one: Rows, other: Rows) -> dict[str, dict[datetime, int]]:
    return {
        name: {
            hour: one[name].get(hour, 0) + other[name].get(hour, 0)
            for hour in sorted(one[name].keys() | other[name].keys())
        }
        for name in TABLES
    }


def _first_stretch(hours: Sequence[datetime]) -> list[datetime]:
    chosen: list[datetime] = []
    for hour in hours:
        if chosen and (hour - chosen[-1] > HOUR or hour - chosen[0] >= MOST):
            break
        chosen.append(hour)
    return chosen


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
