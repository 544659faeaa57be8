"""Closed hours of steps, summarised once and kept in the lake beside the steps they came from.

An hour is in ``lake.hourly`` at a snapshot exactly when no step of it was committed after it was
summarised: the commit that brings a late step takes the hour out again, in the same transaction. So
the roll-up of any snapshot is as true as the steps of that snapshot.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector import tables
from collector.store import Slice
from collector.stores import _query
from collector.stores._query import Query, listed

HOUR = timedelta(hours=1)


class Hours:
    """Which hours of the lake are summarised, and which wait for it. For the one writer only."""

    def __init__(self, root: duckdb.DuckDBPyConnection) -> None:
        """Read what the lake says."""
        with root.cursor() as cursor:
            self._rolled = _column(cursor.execute("SELECT DISTINCT hour FROM lake.hourly"))
            with_steps = _column(cursor.execute("SELECT DISTINCT date_trunc('hour', slot) FROM lake.steps"))
        self._waiting = with_steps - self._rolled

    def late(self, cursor: duckdb.DuckDBPyConnection, touched: set[datetime]) -> None:
        """Take hours that get new steps out of the roll-up, inside the commit that brings them."""
        for hour in sorted(touched & self._rolled):
            cursor.execute("DELETE FROM lake.hourly WHERE hour = ?", [hour])

    def committed(self, touched: set[datetime]) -> None:
        """Note that the commit went through."""
        self._rolled -= touched
        self._waiting |= touched

    def closed(self, now: datetime) -> list[datetime]:
        """List the hours that are over at ``now`` and not summarised."""
        limit = tables.naive(now)
        return sorted(hour for hour in self._waiting if hour + HOUR <= limit)

    def roll(self, cursor: duckdb.DuckDBPyConnection, hours: Iterable[datetime]) -> None:
        """Summarise these hours."""
        names = listed(tables.HOURLY.names)
        for start, end in _spans(hours):
            query = _query.hourly(at("lake.steps"), _between(start, end))
            insert = f"INSERT INTO lake.hourly SELECT {names} FROM ({query.text})"  # noqa: S608  names of tables.py
            cursor.execute(insert, list(query.values))

    def rolled(self, hours: Iterable[datetime]) -> None:
        """Note that ``roll`` was committed."""
        self._rolled |= set(hours)
        self._waiting -= set(hours)


def at(place: str, snapshot: int | None = None) -> Query:
    """Name ``lake.steps`` as it was at a snapshot."""
    version = "" if snapshot is None else f" AT (VERSION => {int(snapshot)})"
    return Query(text=_query.source("steps", [f"{place}{version}"]))


def hours_of(steps: Iterable[pa.Table]) -> set[datetime]:
    """Give the hours these steps fall into."""
    found: set[datetime] = set()
    for rows in steps:
        found.update(pc.unique(pc.floor_temporal(rows.column("slot"), unit="hour")).to_pylist())
    return found


def summary(cursor: duckdb.DuckDBPyConnection, rows: Slice, snapshot: int, hot: list[pa.Table]) -> pa.Table:
    """Answer ``Store.hourly``: closed hours from the roll-up, the rest from lake and hot steps."""
    origin = _query.source("steps", [f"lake.steps AT (VERSION => {snapshot:d})", *(["hot"] if hot else [])])
    if hot:
        cursor.register("hot", pa.concat_tables(hot))
    stored = _stored_hours(cursor, rows, snapshot) - hours_of(hot)
    parts = [_from_rollup(cursor, rows, snapshot, stored)] if stored else []
    for start, end in _gaps(rows, stored):
        query = _query.hourly(Query(text=origin), replace(rows, start=start, end=end))
        parts.append(query.run(cursor, tables.HOURLY))
    keys = [(name, "ascending") for name in ("hour", *tables.GROUP)]
    return pa.concat_tables([tables.HOURLY.empty_table(), *parts]).sort_by(keys)


def _stored_hours(cursor: duckdb.DuckDBPyConnection, rows: Slice, snapshot: int) -> set[datetime]:
    """Give the whole hours of the slice the roll-up can answer."""
    if set(rows.where) - set(tables.GROUP):
        return set()
    first = -(-_since_epoch(rows.start) // HOUR) * HOUR + _EPOCH
    last = tables.naive(rows.end) - HOUR
    text = f"SELECT DISTINCT hour FROM lake.hourly AT (VERSION => {snapshot:d}) WHERE hour BETWEEN ? AND ?"  # noqa: S608
    return _column(Query(text=text, values=(first, last)).execute(cursor))


def _from_rollup(cursor: duckdb.DuckDBPyConnection, rows: Slice, snapshot: int, stored: set[datetime]) -> pa.Table:
    parts = ["hour = ANY(?)"]
    values: list[list[datetime] | list[str]] = [sorted(stored)]
    for column, allowed in rows.where.items():
        parts.append(f'"{column}" = ANY(?)')
        values.append([str(value) for value in allowed])
    names = listed(tables.HOURLY.names)
    text = f"SELECT {names} FROM lake.hourly AT (VERSION => {snapshot:d}) WHERE {' AND '.join(parts)}"  # noqa: S608
    return Query(text=text, values=values).run(cursor, tables.HOURLY)


def _gaps(rows: Slice, stored: set[datetime]) -> Iterable[tuple[datetime, datetime]]:
    """Cut the stored hours out of the slice; the pieces that remain."""
    start = rows.start
    for first, last in _spans(stored):
        if start < first:
            yield start, first
        start = last
    if start < rows.end:
        yield start, rows.end


def _spans(hours: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Join neighbouring hours (naive UTC) to periods (aware) of at most a day."""
    spans: list[tuple[datetime, datetime]] = []
    for hour in sorted(hours):
        start = hour.replace(tzinfo=UTC)
        if spans and spans[-1][1] == start and start.hour:
            spans[-1] = (spans[-1][0], start + HOUR)
        else:
            spans.append((start, start + HOUR))
    return spans


def _between(start: datetime, end: datetime) -> Slice:
    return Slice(start=start, end=end)


def _column(found: duckdb.DuckDBPyConnection) -> set[datetime]:
    return {value for (value,) in found.fetchall()}


def _since_epoch(value: datetime) -> timedelta:
    return tables.naive(value) - _EPOCH


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  the lake's times carry no zone
