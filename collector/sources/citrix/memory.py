"""What the source must remember: until where it has read, what it has told, and what is not yet known to be kept.

All three change in one transaction, before the facts are given away. Whoever is killed afterwards finds them
here, gives the same facts again under the same name, and the store keeps a name once: no hole and nothing twice.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from collector.model.errors import SourceError
from collector.model.facts import Facts

_FACTS = TypeAdapter(Facts)
_AT_ONCE = 500  # SQLite takes so many question marks on every machine
_TABLES = """
CREATE TABLE IF NOT EXISTS self (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (row TEXT PRIMARY KEY, facts TEXT NOT NULL, forget REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_forget ON told (forget);
CREATE TABLE IF NOT EXISTS given (number INTEGER PRIMARY KEY AUTOINCREMENT, facts BLOB);
"""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What one reading adds: new marks; per row which of its facts are told, and when the row may be forgotten."""

    marks: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, tuple[frozenset[str], datetime]] = field(default_factory=dict)


class Memory:
    """One SQLite file, or none: then all is forgotten at the end. Raises SourceError when it cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        self._held: tuple[str, Facts] | None = None  # what was given in this process, as it was
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            # The clockwork reads from whichever thread is free, never from two at once.
            self._database = sqlite3.connect(path or ":memory:", check_same_thread=False)
            self._database.executescript(_TABLES)
            with self._database:
                if self._database.execute("SELECT id FROM self").fetchone() is None:
                    self._database.execute("INSERT INTO self VALUES (?)", [secrets.token_hex(8)])
            (self._self,) = self._database.execute("SELECT id FROM self").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise SourceError(f"{path} cannot be used: {error}") from None

    def mark(self, name: str) -> datetime | None:
        """Say until where ``name`` was read."""
        found = self._database.execute("SELECT until FROM marks WHERE name = ?", [name]).fetchone()
        return None if found is None else datetime.fromtimestamp(found[0], UTC)

    def told(self, rows: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Say which facts of these rows were told; rows of which nothing was told are left out."""
        wanted, found = list(rows), {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows_found = self._database.execute(f"SELECT row, facts FROM told WHERE row IN ({marks})", part)  # noqa: S608
            found.update({row: frozenset(facts.split(" ")) for row, facts in rows_found})
        return found

    def give(self, facts: Facts, progress: Progress, *, now: datetime) -> None:
        """Note progress and, if there are any, the facts that have to be kept before anything else is read."""
        entries = [(row, " ".join(sorted(kinds)), until.timestamp()) for row, (kinds, until) in progress.told.items()]
        marks = [(name, until.timestamp()) for name, until in progress.marks.items()]
        held = None
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", entries)
            self._database.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", marks)
            self._database.execute("DELETE FROM told WHERE forget < ?", [now.timestamp()])
            if facts:
                added = self._database.execute("INSERT INTO given (facts) VALUES (?)", [_FACTS.dump_json(facts)])
                held = f"{self._self}:{added.lastrowid}", facts
        self._held = held

    def given(self) -> tuple[str, Facts] | None:
        """Give what is not known to be kept, under a name that it has for ever."""
        if self._held is not None:
            return self._held
        found = self._database.execute("SELECT number, facts FROM given ORDER BY number LIMIT 1").fetchone()
        return None if found is None else (f"{self._self}:{found[0]}", _FACTS.validate_json(found[1]))

    def kept(self) -> None:
        """Forget what was given: it is on disk elsewhere."""
        with self._database:
            self._database.execute("DELETE FROM given")
        self._held = None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
