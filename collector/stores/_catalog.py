"""Opening the lake: DuckDB with the DuckLake extension, the catalog file, and the steps of its schema."""

import json
import os
from contextlib import suppress
from pathlib import Path

import duckdb
import duckdb_extension_ducklake

from collector.model.errors import StoreError
from collector.stores._query import first_line

_SCHEMA = Path(__file__).with_name("_schema")
_SETTINGS = {
    "autoinstall_known_extensions": "false",  # nothing is ever fetched from a network
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "false",  # scan() sorts; keeping order costs memory
}


def connect(folder: Path, *, owner: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Open the lake in ``folder`` as its one owner and bring its schema up to date.

    ``owner`` is the file in which a running owner says who it is. Raises StoreError, naming the
    owner when another process has the lake open.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    limits: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "temp_directory": str(folder / "tmp"),
    }
    try:
        connection = duckdb.connect(config=limits | _SETTINGS)
        connection.execute(f"LOAD {_quoted(_extension())}")
        connection.execute(
            f"ATTACH {_quoted('ducklake:' + str(folder / 'catalog.ducklake'))} AS lake "
            f"(DATA_PATH {_quoted(str(folder / 'data') + os.sep)}, OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0)"
        )
        _upgrade(connection)
    except duckdb.Error as error:
        if "lock" in str(error) or "already attached" in str(error):
            raise StoreError(_taken(folder, owner)) from error
        raise StoreError(f"the lake {folder} cannot be opened: {first_line(error)}") from error
    return connection


def _extension() -> Path:
    """Find the extension's file in its wheel: loaded by path, it needs neither a home nor a network."""
    root = Path(duckdb_extension_ducklake.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    path = root / "ducklake.duckdb_extension"
    if not path.is_file():
        raise StoreError(
            f"duckdb {duckdb.__version__} has no DuckLake extension beside it: "
            f"install duckdb-extension-ducklake=={duckdb.__version__}"
        )
    return path


def _upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Run the numbered steps this lake has not seen, each in one transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS lake.schema_steps (number INTEGER)")
    done = {number for (number,) in connection.execute("SELECT number FROM lake.schema_steps").fetchall()}
    for path in sorted(_SCHEMA.glob("*.sql")):
        number = int(path.name.partition("_")[0])
        if number not in done:
            connection.execute("BEGIN")
            connection.execute(path.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO lake.schema_steps VALUES (?)", [number])
            connection.execute("COMMIT")


def _taken(folder: Path, owner: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        who = json.loads(owner.read_text(encoding="utf-8"))
        return f"the lake {folder} is open in whichlayer up (process {who['pid']}, {who['url']}): ask that one"
    return f"the lake {folder} is open in another process: stop it, or run this command through it"


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
