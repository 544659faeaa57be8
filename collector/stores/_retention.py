"""What is removed at the end of its time, and what lies on the disk only because a pin needs it.

What the lake knows of its own files is in the tables of its catalog (``__ducklake_metadata_lake``).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector import tables

CATALOG = "__ducklake_metadata_lake"
_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001  the lake's times carry no zone
ROLLUPS = {"hourly": "hour", **{f"daily_{name}": "day" for name in tables.DAILY}}


def since(cursor: duckdb.DuckDBPyConnection) -> datetime:
    """Give the day before which rows were removed; 1970 when none were."""
    known: datetime | None = _first(cursor.execute("SELECT max(since) FROM lake.kept"))
    return known or _NEVER


def limit(now: datetime, kept: timedelta) -> datetime:
    """Give the first whole day (naive UTC) that is kept at ``now``."""
    return tables.naive(now - kept).replace(hour=0, minute=0, second=0, microsecond=0)


def remove_rows(cursor: duckdb.DuckDBPyConnection, before: datetime, known: datetime) -> None:
    """Remove rows of every table before a day, late ones too; note the day when it is past the ``known`` one."""
    for name in tables.TABLES:
        cursor.execute(f'DELETE FROM lake.{name} WHERE "{tables.TIME_COLUMN[name]}" < ?', [before])  # noqa: S608
    if before > known:
        cursor.execute("INSERT INTO lake.kept VALUES (?)", [before])


def in_time(name: str, hot: Iterable[pa.Table], known: datetime) -> list[pa.Table]:
    """Leave out rows of days whose rows were removed: they came after their summary was final."""
    return [rows.filter(pc.field(tables.TIME_COLUMN[name]) >= pa.scalar(known, pa.timestamp("us"))) for rows in hot]


def remove_rollups(cursor: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Remove hours and days before a day."""
    for table, column in ROLLUPS.items():
        cursor.execute(f"DELETE FROM lake.{table} WHERE {column} < ?", [before])  # noqa: S608  names above


def days_with_rows(cursor: duckdb.DuckDBPyConnection, name: str) -> set[datetime]:
    """Give the days of which table ``name`` holds files, from the catalog alone."""
    text = f"""
        SELECT DISTINCT make_timestamp(
            max(CAST(partition_value AS BIGINT)) FILTER (partition_key_index = 0),
            max(CAST(partition_value AS BIGINT)) FILTER (partition_key_index = 1),
            max(CAST(partition_value AS BIGINT)) FILTER (partition_key_index = 2), 0, 0, 0)
        FROM {CATALOG}.ducklake_file_partition_value JOIN {CATALOG}.ducklake_data_file USING (data_file_id)
        JOIN {CATALOG}.ducklake_table ON ducklake_table.table_id = ducklake_data_file.table_id
        WHERE table_name = ? AND ducklake_table.end_snapshot IS NULL AND ducklake_data_file.end_snapshot IS NULL
        GROUP BY data_file_id
    """  # noqa: S608  names above
    return {day for (day,) in cursor.execute(text, [name]).fetchall()}


def bytes_kept_by(cursor: duckdb.DuckDBPyConnection, pinned: Iterable[int]) -> int:
    """Add up the files that the newest snapshot does not need and a pinned one does."""
    needed = " UNION ".join(
        f"SELECT path, file_size_bytes FROM {CATALOG}.{table}, (SELECT unnest(?::BIGINT[]) AS pin) "  # noqa: S608
        "WHERE end_snapshot IS NOT NULL AND begin_snapshot <= pin AND end_snapshot > pin"
        for table in ("ducklake_data_file", "ducklake_delete_file")
    )
    pins = sorted(pinned)
    found = cursor.execute(f"SELECT coalesce(sum(file_size_bytes), 0) FROM ({needed})", [pins, pins])  # noqa: S608
    return int(_first(found) or 0)


def _first(found: duckdb.DuckDBPyConnection) -> Any:  # noqa: ANN401  what the column holds
    row = found.fetchone()
    return row[0] if row else None
