"""A lock on a file, held by one process at a time and freed by the system when that process dies."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, patience: float) -> Iterator[bool]:
    """Hold the lock at ``path``; gives False when others kept it for ``patience`` seconds.

    SQLite does the locking: it is the same on every system, and tested on all of them.
    """
    database = sqlite3.connect(path, timeout=max(patience, 0.0), isolation_level=None)
    try:
        yield _begin(database)
    finally:
        database.close()


def _begin(database: sqlite3.Connection) -> bool:
    try:
        database.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
