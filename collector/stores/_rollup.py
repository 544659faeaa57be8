"""Closed hours and days, summarised once and kept in the lake beside the rows they came from.

A period is in its roll-up at a snapshot exactly when no row of it was committed after it was
summarised: the commit that brings a late row takes the period out again, in the same transaction. So
the roll-up of any snapshot is as true as the rows of that snapshot (``_periods.py`` keeps the books).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector import tables
from collector.store import Every, Slice
from collector.stores import _query, _trend
from collector.stores._columns import plain
from collector.stores._query import Query, listed

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_GROUPS_AT_ONCE = 50_000  # about 100 MB


def roll(cursor: duckdb.DuckDBPyConnection, hours: Iterable[datetime]) -> None:
    """Summarise these hours."""
    names = listed(tables.HOURLY.names)
    for start, end in spans(hours, HOUR):
        query = _query.hourly(at("lake.steps"), Slice(start=start, end=end))
        insert = f"INSERT INTO lake.hourly ({names}) SELECT {names} FROM ({query.text})"  # noqa: S608  names of tables.py
        cursor.execute(insert, list(query.values))


def roll_day(cursor: duckdb.DuckDBPyConnection, name: str, day: datetime) -> None:
    """Summarise one day of table ``name``, some groups at a time: lists do not leave memory for the disk."""
    start = day.replace(tzinfo=UTC)
    period = Slice(start=start, end=start + DAY)
    rows = _query.source(name, [f"lake.{name}"])
    group, names = listed(tables.DAILY_GROUP[name]), listed(tables.DAILY[name].names)
    condition = _query.where(name, period)
    count = f"SELECT approx_count_distinct(hash({group})) FROM ({rows}) WHERE {condition.text}"  # noqa: S608
    found = Query(text=count, values=condition.values).execute(cursor).fetchone()
    parts = 1 + int(found[0] if found else 0) // _GROUPS_AT_ONCE
    for part in range(parts):
        origin = Query(text=f"SELECT * FROM ({rows}) WHERE hash({group}) % {parts} = {part}")  # noqa: S608
        query = _trend.days(name, origin, period)
        insert = f"INSERT INTO lake.daily_{name} ({names}) SELECT {names} FROM ({query.text})"  # noqa: S608  names of tables.py
        cursor.execute(insert, list(query.values))


def at(place: str, snapshot: int | None = None) -> Query:
    """Name ``lake.steps`` as it was at a snapshot."""
    version = "" if snapshot is None else f" AT (VERSION => {int(snapshot)})"
    return Query(text=_query.source("steps", [f"{place}{version}"]))


def periods_of(name: str, rows: Iterable[pa.Table], unit: str) -> set[datetime]:
    """Give the hours or days (``unit``) these rows of table ``name`` fall into."""
    times = [chunk for table in rows for chunk in table.column(tables.TIME_COLUMN[name]).chunks]
    found = pc.floor_temporal(pa.chunked_array(times, pa.timestamp("us")), unit=unit)
    return set(pc.unique(found).to_pylist())


def summary(cursor: duckdb.DuckDBPyConnection, rows: Slice, snapshot: int, hot: list[pa.Table]) -> pa.Table:
    """Answer ``Store.hourly``: closed hours from the roll-up, the rest from lake and hot steps."""
    origin = _origin(cursor, "steps", snapshot, hot)
    stored = _stored(cursor, _HOURS, rows, snapshot) - periods_of("steps", hot, "hour")
    parts = [_from_rollup(cursor, rows, snapshot, stored)] if stored else []
    for start, end in _gaps(rows, stored, HOUR):
        parts.append(_query.hourly(origin, replace(rows, start=start, end=end)).run(cursor, tables.HOURLY))
    keys = [(name, "ascending") for name in ("hour", *tables.GROUP)]
    return pa.concat_tables([tables.HOURLY.empty_table(), *parts]).sort_by(keys)


def trend(  # noqa: PLR0913, PLR0917  the question of Store.trend, and where to look
    cursor: duckdb.DuckDBPyConnection,
    name: str,
    rows: Slice,
    every: Every,
    by: Sequence[str],
    snapshot: int,
    hot: list[pa.Table],
) -> pa.Table:
    """Answer ``Store.trend``: closed days from the roll-up, the rest from lake and hot rows."""
    schema = tables.trend(name, by)
    origin = _origin(cursor, name, snapshot, hot)
    place = _Place(table=f"daily_{name}", column="day", length=DAY, group=tables.DAILY_GROUP[name])
    stored = _stored(cursor, place, rows, snapshot) - periods_of(name, hot, "day")
    parts = [_trend.stored(name, rows, snapshot, sorted(stored))] if stored else []
    for start, end in _gaps(rows, stored, DAY):
        parts.append(_trend.days(name, origin, replace(rows, start=start, end=end), by))
    return _trend.merged(name, parts, every, by).run(cursor, schema) if parts else schema.empty_table()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One roll-up: its table, the column of its period, how long that is, and by what it may be asked."""

    table: str
    column: str
    length: timedelta
    group: Mapping[str, pa.DataType]


_HOURS = _Place(table="hourly", column="hour", length=HOUR, group=tables.GROUP)


def _origin(cursor: duckdb.DuckDBPyConnection, name: str, snapshot: int, hot: list[pa.Table]) -> Query:
    if hot:
        cursor.register("hot", plain(tables.schema(name), hot))
    return Query(text=_query.source(name, [f"lake.{name} AT (VERSION => {snapshot:d})", *(["hot"] if hot else [])]))


def _stored(cursor: duckdb.DuckDBPyConnection, place: _Place, rows: Slice, snapshot: int) -> set[datetime]:
    """Give the whole periods of the slice that a roll-up can answer."""
    if set(rows.where) - set(place.group):
        return set()
    first = -(-(tables.naive(rows.start) - _EPOCH) // place.length) * place.length + _EPOCH
    last = tables.naive(rows.end) - place.length
    text = (
        f"SELECT DISTINCT {place.column} FROM lake.{place.table} AT (VERSION => {snapshot:d}) "  # noqa: S608
        f"WHERE {place.column} BETWEEN ? AND ?"
    )
    return {value for (value,) in Query(text=text, values=(first, last)).execute(cursor).fetchall()}


def _from_rollup(cursor: duckdb.DuckDBPyConnection, rows: Slice, snapshot: int, stored: set[datetime]) -> pa.Table:
    parts = ["hour = ANY(?)"]
    values: list[list[datetime] | list[str]] = [sorted(stored)]
    for column, allowed in rows.where.items():
        parts.append(f'"{column}" = ANY(?)')
        values.append([str(value) for value in allowed])
    names = listed(tables.HOURLY.names)
    text = f"SELECT {names} FROM lake.hourly AT (VERSION => {snapshot:d}) WHERE {' AND '.join(parts)}"  # noqa: S608
    return Query(text=text, values=values).run(cursor, tables.HOURLY)


def _gaps(rows: Slice, stored: set[datetime], length: timedelta) -> Iterable[tuple[datetime, datetime]]:
    """Cut the stored periods out of the slice; the pieces that remain."""
    start = rows.start
    for first, last in spans(stored, length):
        if start < first:
            yield start, first
        start = last
    if start < rows.end:
        yield start, rows.end


def spans(periods: Iterable[datetime], length: timedelta) -> list[tuple[datetime, datetime]]:
    """Join neighbouring periods (naive UTC); hours to at most a day. The answer is aware."""
    found: list[tuple[datetime, datetime]] = []
    for period in sorted(periods):
        start = period.replace(tzinfo=UTC)
        if found and found[-1][1] == start and (start.hour or length == DAY):
            found[-1] = (found[-1][0], start + length)
        else:
            found.append((start, start + length))
    return found


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  the lake's times carry no zone
