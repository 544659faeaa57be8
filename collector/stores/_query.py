"""The SQL both DuckDB-backed stores ask: rows of a slice, and steps summarised by the hour.

Names of tables and columns come from ``collector/tables.py`` only; values are always parameters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from collector import tables
from collector.model.errors import NotInStore, StoreError
from collector.model.run import Phase
from collector.store import Slice

_HOUR = "date_trunc('hour', slot)"
MEASURED = "outcome IN ('ok', 'slow')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A SELECT and its parameters."""

    text: str
    values: Sequence[Any] = field(default=())

    def run(self, connection: duckdb.DuckDBPyConnection, schema: pa.Schema) -> pa.Table:
        """Give the answer with exactly this schema. Raises StoreError."""
        return self.execute(connection).to_arrow_table().cast(schema)

    def execute(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Ask, and leave the reading to the caller. Raises StoreError."""
        try:
            return connection.execute(self.text, list(self.values))
        except duckdb.Error as error:
            if "No snapshot found" in str(error):
                raise NotInStore("there is no such snapshot: it was never made, or let go of unpinned") from None
            raise StoreError(f"the store could not be read: {first_line(error)}") from error


def source(name: str, parts: Sequence[str], columns: Iterable[str] | None = None) -> str:
    """Join the places table ``name`` lies in (the lake at a version, hot rows) into one relation.

    ``columns`` are those that are needed: to plan with one of the lake costs it a millisecond, read or not.
    """
    needed = None if columns is None else set(columns)
    names = listed(column for column in tables.schema(name).names if needed is None or column in needed)
    return " UNION ALL ".join(f"SELECT {names} FROM {part}" for part in parts)  # noqa: S608  names of tables.py


def needed(name: str, rows: Slice, columns: Sequence[str] | None) -> Sequence[str]:
    """Give the columns that a scan of ``columns`` has to look at; all when it gives all. Raises NotInStore."""
    every = tables.schema(name).names
    wanted = every if columns is None else columns
    return [*wanted, *tables.ORDER[name], *rows.where, tables.TIME_COLUMN[name]]


def scan(name: str, origin: Query, rows: Slice, columns: Sequence[str] | None) -> tuple[Query, pa.Schema]:
    """Ask for the rows of a slice in key order. Raises NotInStore for names that do not exist."""
    schema = _chosen(name, columns)
    condition = where(name, rows)
    text = (
        f"SELECT {listed(schema.names)} FROM ({origin.text}) WHERE {condition.text} "  # noqa: S608  values are ?
        f"ORDER BY {listed(tables.ORDER[name])}"
    )
    return Query(text=text, values=(*origin.values, *condition.values)), schema


def counts(name: str, origin: Query, rows: Slice) -> Query:
    """Count the rows of a slice by hour."""
    condition = where(name, rows)
    text = (
        f'SELECT date_trunc(\'hour\', "{tables.TIME_COLUMN[name]}") AS "hour", count(*) AS "rows" '  # noqa: S608
        f'FROM ({origin.text}) WHERE {condition.text} GROUP BY ALL ORDER BY "hour"'
    )
    return Query(text=text, values=(*origin.values, *condition.values))


def hourly(origin: Query, rows: Slice) -> Query:
    """Summarise the steps of a slice by hour and group, from the steps themselves."""
    condition = where("steps", rows)
    group = listed(tables.GROUP)
    text = (
        f"SELECT {_HOUR} AS hour, {group}, {', '.join(_SUMS)} FROM ({origin.text}) "  # noqa: S608  values are ?
        f"WHERE {condition.text} AND NOT mixed GROUP BY ALL ORDER BY hour, {group}"
    )
    return Query(text=text, values=(*origin.values, *condition.values))


def where(name: str, rows: Slice) -> Query:
    """Write the condition of a slice. Raises NotInStore for a column the table does not have."""
    time = tables.TIME_COLUMN[name]
    parts = [f'"{time}" >= ? AND "{time}" < ?']
    values: list[Any] = [tables.naive(rows.start), tables.naive(rows.end)]
    for column, allowed in rows.where.items():
        _known(name, [column])
        parts.append(f'CAST("{column}" AS VARCHAR) = ANY(?)' if _not_text(name, column) else f'"{column}" = ANY(?)')
        values.append([str(value) for value in allowed])
    return Query(text=" AND ".join(parts), values=values)


def listed(names: Iterable[str]) -> str:
    """Write column names, quoted: some (``at``, ``release``) are words of SQL too."""
    return ", ".join(f'"{name}"' for name in names)


def _chosen(name: str, columns: Sequence[str] | None) -> pa.Schema:
    schema = tables.schema(name)
    if columns is None:
        return schema
    _known(name, columns)
    return pa.schema([schema.field(column) for column in columns])


def _known(name: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in tables.schema(name).names:
            raise NotInStore(f"table {name} has no column {column!r}: its columns are in collector/tables.py")


def _not_text(name: str, column: str) -> bool:
    return not pa.types.is_string(tables.schema(name).field(column).type)


def first_line(error: Exception) -> str:
    """Give what an error of DuckDB says, without its excerpt of the statement."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


_SUMS = (
    "count(*) AS runs",
    f"count(*) FILTER ({MEASURED}) AS measured",
    "count(*) FILTER (outcome = 'timeout') AS timeouts",
    "count(*) FILTER (outcome IN ('failed', 'dropped')) AS failures",
    *(f"quantile_cont(seconds, {q}) FILTER ({MEASURED}) AS {name}" for name, q in tables.QUANTILES.items()),
    "max(target_seconds) AS target_seconds",
    *(f"quantile_cont({phase}, 0.5) FILTER ({MEASURED}) AS {phase}_q50" for phase in Phase),
)
