"""One commit of the lake: rows of every table, their batch ids and their places in the spool."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from collector import tables
from collector.model.errors import StoreError, StoreFull
from collector.stores._batch import Rows
from collector.stores._columns import plain
from collector.stores._query import Query, first_line, listed

_LARGE_FILE_BYTES = 64 * 2**20
_CLOCK_TICK_NS = 1_000_000_000  # a file's time comes from a coarser clock
_BATCHES = pa.schema(
    {
        "batch_id": pa.string(),
        "sender": pa.string(),
        "sequence": pa.int64(),
        "rows": pa.int64(),
        "stored_at": pa.timestamp("us"),
    }
)


@contextmanager
def transaction(root: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Run one transaction of its own; all of it or nothing. Raises StoreError, StoreFull.

    The catalog is durable when it commits, the data files it then names are not: so they are made
    durable first.
    """
    began = time.time_ns() - _CLOCK_TICK_NS
    with root.cursor() as cursor:
        try:
            cursor.execute("BEGIN")
            yield cursor
            _make_durable(folder / "data", began)
            cursor.execute("COMMIT")
        except (duckdb.Error, OSError) as error:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            kind = StoreFull if "No space left" in str(error) else StoreError
            raise kind(f"the lake could not keep the rows: {first_line(error)}") from error


def commit(
    root: duckdb.DuckDBPyConnection,
    folder: Path,
    hot: Mapping[int, Rows],
    beside: Callable[[duckdb.DuckDBPyConnection], None],
) -> int:
    """Put hot rows into the lake, with whatever ``beside`` writes; give the snapshot that holds them."""
    with transaction(root, folder) as cursor:
        for name, schema in tables.TABLES.items():
            found = [rows.tables[name] for rows in hot.values() if name in rows.tables]
            if found:
                _insert(cursor, name, plain(schema, found), schema)
        _insert(cursor, "batches", _batches(hot), _BATCHES)
        beside(cursor)
    return snapshot(root)


def snapshot(root: duckdb.DuckDBPyConnection) -> int:
    """Give the number of the latest snapshot."""
    return int(_rows(root, "SELECT id FROM lake.current_snapshot()")[0][0])


def snapshots(root: duckdb.DuckDBPyConnection) -> list[tuple[int, datetime]]:
    """List all snapshots and when they were made, oldest first."""
    return _rows(root, "SELECT snapshot_id, snapshot_time FROM lake.snapshots() ORDER BY snapshot_id")


def highest_sequence(root: duckdb.DuckDBPyConnection) -> int:
    """Give the highest spool sequence in the lake; 0 when it is empty."""
    return int(_rows(root, "SELECT coalesce(max(sequence), 0) FROM lake.batches")[0][0])


def batch_ids(root: duckdb.DuckDBPyConnection) -> list[str]:
    """List the ids of all batches in the lake."""
    return [name for (name,) in _rows(root, "SELECT batch_id FROM lake.batches")]


def holds(root: duckdb.DuckDBPyConnection, batch_id: str) -> bool:
    """Say whether a batch is in the lake."""
    return bool(_rows(root, "SELECT 1 FROM lake.batches WHERE batch_id = ? LIMIT 1", batch_id))


def forget_batches(cursor: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Forget the ids of batches no sender will send again."""
    cursor.execute("DELETE FROM lake.batches WHERE stored_at < ?", [tables.naive(before)])


def merge(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make few files of many small ones; a file that is large already is left alone."""
    cursor.execute(f"CALL ducklake_merge_adjacent_files('lake', max_file_size => {_LARGE_FILE_BYTES})")


def expire(cursor: duckdb.DuckDBPyConnection, gone: Sequence[int]) -> None:
    """Let go of these snapshots."""
    if gone:
        cursor.execute("CALL ducklake_expire_snapshots('lake', versions => ?)", [list(gone)])


def remove_unused(cursor: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Remove files no snapshot needs since ``before``, also those a killed process never committed.

    Not sooner: a reader may have begun with the small files that a merge has just replaced.
    """
    cursor.execute("CALL ducklake_cleanup_old_files('lake', older_than => ?)", [before])
    cursor.execute("CALL ducklake_delete_orphaned_files('lake', older_than => ?)", [before])


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, schema: pa.Schema) -> None:
    cursor.register("incoming", rows)
    names = listed(schema.names)
    cursor.execute(f"INSERT INTO lake.{name} ({names}) SELECT {names} FROM incoming")  # noqa: S608  names of tables.py
    cursor.unregister("incoming")


def _batches(hot: Mapping[int, Rows]) -> pa.Table:
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        {"batch_id": rows.batch_id, "sender": rows.sender, "sequence": sequence, "rows": len(rows), "stored_at": now}
        for sequence, rows in hot.items()
    ]
    return pa.Table.from_pylist(rows, _BATCHES)


def _rows(root: duckdb.DuckDBPyConnection, text: str, *values: object) -> list[Any]:
    with root.cursor() as cursor:
        return Query(text=text, values=values).execute(cursor).fetchall()


def _make_durable(folder: Path, since_ns: int) -> None:
    """Sync every file changed since, and the folders that name it."""
    folders: set[Path] = set()
    for path in folder.rglob("*.parquet"):
        if path.stat().st_mtime_ns >= since_ns:
            _sync(path)
            folders.update(parent for parent in path.parents if parent.is_relative_to(folder))
    for parent in folders:
        _sync(parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
