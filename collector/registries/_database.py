"""Opening the registry's database: its URL, its transactions, its schema."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from collector.model.errors import StoreError

MEMORY = "sqlite://"  # forgets when it closes; for one thread
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """Open ``url`` (``sqlite:///PATH`` or ``postgresql+psycopg://…``) and bring its schema up to date.

    Raises StoreError when a newer whichlayer wrote it, or when it cannot be opened.
    """
    if url == MEMORY:
        engine = create_engine(url, poolclass=StaticPool)  # a second connection would see another, empty database
    else:
        engine = create_engine(url, pool_size=8, max_overflow=32)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    try:
        upgrade(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"the registry cannot be opened: {_reason(error)}") from None
    except StoreError:
        engine.dispose()
        raise
    return engine


def writing(engine: Engine) -> Engine:
    """Give the engine for transactions that write: on SQLite they take the write lock at once.

    A transaction that reads first and writes later would fail instead of wait when another wrote between.
    """
    return engine.execution_options(writes=True)


def rewrite(engine: Engine) -> None:
    """Write a SQLite file anew, so that what was deleted is not in it either. Raises StoreError when others use it."""
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as pooled:
        cursor = pooled.cursor()
        try:
            cursor.execute("VACUUM")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise StoreError(f"the registry could not be written anew: {error}; do this again") from None
    if busy:
        raise StoreError("somebody reads the registry, so what was deleted is still in its file: do this again")


def upgrade(engine: Engine) -> None:
    """Run the migrations this code knows and the database does not."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with writing(engine).begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise StoreError(
                f"the registry has schema {current}, which this version does not know: "
                "a newer whichlayer wrote it; install that version, or restore the copy from before"
            )
        if current != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401  the driver's own connection
    connection.isolation_level = None  # transactions begin where we say, not at the first write
    for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
