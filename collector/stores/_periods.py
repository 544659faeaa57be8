"""Which hours and days of the lake are summarised, and which wait for it. For the one writer only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb

from collector import tables
from collector.stores import _retention, _rollup
from collector.stores._batch import Rows

Touched = Mapping[str, set[datetime]]  # roll-up -> its periods that got rows


@dataclass(slots=True, kw_only=True)
class _Periods:
    """The book of one roll-up: its table, and rows of which table it summarises."""

    table: str
    source: str
    unit: str
    length: timedelta
    rolled: set[datetime]
    waiting: set[datetime] = field(default_factory=set)

    def over(self, now: datetime) -> list[datetime]:
        limit = tables.naive(now)
        return sorted(period for period in self.waiting if period + self.length <= limit)


class Periods:
    """The books of all roll-ups: hours of steps, days of steps and of samples."""

    def __init__(self, root: duckdb.DuckDBPyConnection, since: datetime) -> None:
        """Read what the lake says; what lies before ``since`` (naive) is never summarised again."""
        self._since = since
        with root.cursor() as cursor:
            days = [_days(cursor, name, since) for name in tables.DAILY]
            steps = next(book for book in days if book.source == "steps")
            self._books = [_hours(cursor, steps.waiting), *days]

    def touched(self, rows: Iterable[Rows]) -> Touched:
        """Find the periods these rows fall into, those aside whose rows were removed at the end of their time."""
        found = list(rows)
        touched = {}
        for book in self._books:
            parts = [some.tables[book.source] for some in found if book.source in some.tables]
            periods = _rollup.periods_of(book.source, parts, book.unit)
            touched[book.table] = {period for period in periods if period >= self._since}
        return touched

    def late(self, cursor: duckdb.DuckDBPyConnection, touched: Touched) -> None:
        """Take periods that get new rows out of the roll-ups, inside the commit that brings them."""
        for book in self._books:
            for period in sorted(touched[book.table] & book.rolled):
                cursor.execute(f"DELETE FROM lake.{book.table} WHERE {book.unit} = ?", [period])  # noqa: S608  names above

    def committed(self, touched: Touched) -> None:
        """Note that the commit went through."""
        for book in self._books:
            book.rolled -= touched[book.table]
            book.waiting |= touched[book.table]

    def hours(self, now: datetime) -> list[datetime]:
        """List the hours that are over at ``now`` and not summarised."""
        return self._books[0].over(now)

    def days(self, now: datetime) -> list[tuple[str, datetime]]:
        """List the days that are over at ``now`` and not summarised, each with its table of rows."""
        return [(book.source, day) for book in self._books[1:] for day in book.over(now)]

    def rolled(self, source: str, unit: str, periods: Iterable[datetime]) -> None:
        """Note that the roll-up of these was committed."""
        for book in self._books:
            if (book.source, book.unit) == (source, unit):
                book.rolled |= set(periods)
                book.waiting -= set(periods)

    def removable(self, limit: datetime) -> datetime:
        """Give the day before which every period that lies before ``limit`` is summarised."""
        waiting = [min(book.waiting) for book in self._books if book.waiting]
        return min([limit, *waiting]).replace(hour=0)

    def removed(self, since: datetime) -> None:
        """Note that rows before ``since`` are gone."""
        self._since = max(self._since, since)


def _days(cursor: duckdb.DuckDBPyConnection, name: str, since: datetime) -> _Periods:
    table = f"daily_{name}"
    rolled = _column(cursor.execute(f"SELECT DISTINCT day FROM lake.{table}"))  # noqa: S608  a name of tables.py
    waiting = {day for day in _retention.days_with_rows(cursor, name) if day >= since} - rolled
    return _Periods(table=table, source=name, unit="day", length=_rollup.DAY, rolled=rolled, waiting=waiting)


def _hours(cursor: duckdb.DuckDBPyConnection, days: set[datetime]) -> _Periods:
    """Look for hours that wait in days that wait: a day is summarised after all of its hours."""
    rolled = _column(cursor.execute("SELECT DISTINCT hour FROM lake.hourly"))
    waiting: set[datetime] = set()
    for start, end in _rollup.spans(days, _rollup.DAY):
        text = "SELECT DISTINCT date_trunc('hour', slot) FROM lake.steps WHERE slot >= ? AND slot < ?"
        waiting |= _column(cursor.execute(text, [tables.naive(start), tables.naive(end)]))
    return _Periods(
        table="hourly", source="steps", unit="hour", length=_rollup.HOUR, rolled=rolled, waiting=waiting - rolled
    )


def _column(found: duckdb.DuckDBPyConnection) -> set[datetime]:
    return {value for (value,) in found.fetchall()}
