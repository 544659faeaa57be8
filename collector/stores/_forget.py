"""Removing a site so that its bytes are gone: from rows, old files, old snapshots, and the catalog's own file.

Deleting the rows is one commit and needs the name; all that follows needs none (``LakeStore._purge``), so it can be
ended by whoever opens the lake next. Until then ``MARK`` lies in its folder.
"""

import os
from pathlib import Path

import duckdb

from collector import tables
from collector.model.errors import StoreError
from collector.stores._query import first_line
from collector.stores._retention import CATALOG, ROLLUPS

MARK = "forgetting"
_FILE = "catalog.ducklake"


def held(cursor: duckdb.DuckDBPyConnection, site: str) -> tuple[dict[str, int], int]:
    """Give the rows of a site in each table of facts, and the size of the files that may hold one; 0 is none.

    The files are those of all snapshots, by what the catalog says of them.
    """
    return _rows_of(cursor, site), _bytes_that_hold(cursor, site)


def remove(cursor: duckdb.DuckDBPyConnection, site: str) -> None:
    """Delete the rows of a site, of facts and of roll-ups."""
    for name in (*tables.TABLES, *ROLLUPS):
        cursor.execute(f"DELETE FROM lake.{name} WHERE site = ?", [site])  # noqa: S608  names of tables.py


def rewrite(cursor: duckdb.DuckDBPyConnection) -> None:
    """Write every file again in which a row is deleted, however few they are."""
    cursor.execute("CALL ducklake_rewrite_data_files('lake', delete_threshold => 0)")


def remove_files(cursor: duckdb.DuckDBPyConnection) -> None:
    """Remove every file that no snapshot needs, now."""
    cursor.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    cursor.execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)")


def bytes_in(folder: Path) -> int:
    """Add up what lies on the disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def mark(folder: Path) -> int:
    """Say in the lake's folder that a removal is under way, also to who opens it after a crash; give its bytes."""
    (folder / MARK).touch()
    _sync(folder)
    return bytes_in(folder)


def unmark(folder: Path) -> None:
    """Say that it is done."""
    (folder / MARK).unlink()
    _sync(folder)


def write_catalog_anew(folder: Path) -> None:
    """Copy what the catalog holds into a fresh file in its place; nobody may have it open.

    It keeps the least and the greatest text of each column, per file and per table, and a database file keeps what
    was deleted until the place is used again. Raises StoreError.
    """
    old, fresh = folder / _FILE, folder / f"{_FILE}.new"
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {_quoted(old)} AS old")
            connection.execute(_TRUE_BOUNDS)
            connection.execute("CHECKPOINT old")
            connection.execute(f"ATTACH {_quoted(fresh)} AS fresh")
            connection.execute("COPY FROM DATABASE old TO fresh")
            connection.execute("CHECKPOINT fresh")
        _sync(fresh)
        fresh.replace(old)
        _sync(folder)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"the catalog could not be written anew: {first_line(error)}") from error


def _rows_of(cursor: duckdb.DuckDBPyConnection, site: str) -> dict[str, int]:
    found = {}
    for name in tables.TABLES:
        row = cursor.execute(f"SELECT count(*) FROM lake.{name} WHERE site = ?", [site]).fetchone()  # noqa: S608
        found[name] = int(row[0]) if row else 0
    return found


def _bytes_that_hold(cursor: duckdb.DuckDBPyConnection, site: str) -> int:
    text = f"""
        SELECT coalesce(sum(file_size_bytes), 0) FROM {CATALOG}.ducklake_data_file WHERE data_file_id IN (
            SELECT data_file_id FROM {CATALOG}.ducklake_file_column_stats AS said JOIN {CATALOG}.ducklake_column AS of
            ON of.table_id = said.table_id AND of.column_id = said.column_id
            WHERE column_name = 'site' AND (min_value IS NULL OR ? BETWEEN min_value AND max_value))
    """  # noqa: S608  names above
    row = cursor.execute(text, [site]).fetchone()
    return int(row[0]) if row else 0


# Bounds of a table are never narrowed by DuckLake; those of text are set to what the files say now.
_TRUE_BOUNDS = """
    UPDATE old.ducklake_table_column_stats AS bounds SET
        min_value = (SELECT min(min_value) FROM old.ducklake_file_column_stats AS said
                     WHERE said.table_id = bounds.table_id AND said.column_id = bounds.column_id),
        max_value = (SELECT max(max_value) FROM old.ducklake_file_column_stats AS said
                     WHERE said.table_id = bounds.table_id AND said.column_id = bounds.column_id)
    WHERE EXISTS (SELECT 1 FROM old.ducklake_column AS of WHERE of.table_id = bounds.table_id
                  AND of.column_id = bounds.column_id AND of.column_type = 'varchar')
"""


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
