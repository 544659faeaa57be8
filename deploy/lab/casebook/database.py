"""What casebook keeps in PostgreSQL, and every statement it runs there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from sqlalchemy.pool import QueuePool

from deploy.lab.casebook import spans
from deploy.lab.casebook.timing import Timing

MAX_BAD_PASSWORDS = 3

SCHEMA = """
CREATE TABLE account (
    name text PRIMARY KEY,
    password_hash text NOT NULL,
    bad_passwords int NOT NULL DEFAULT 0
);
CREATE TABLE session (
    token_hash text PRIMARY KEY,
    account text NOT NULL REFERENCES account,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ended text
);
CREATE TABLE draft (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id int NOT NULL,
    account text NOT NULL,
    body text NOT NULL,
    gone text
);
CREATE TABLE case_record (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    surname text NOT NULL,
    team int NOT NULL,
    opened_on date NOT NULL,
    summary text NOT NULL
);
CREATE TABLE note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id int NOT NULL REFERENCES case_record,
    account text NOT NULL,
    body text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);
"""
INDEXES = """
CREATE INDEX case_surname ON case_record (lower(surname));
CREATE INDEX note_case ON note (case_id, id DESC);
ANALYZE;
"""

_SEARCH = "SELECT id, title, surname, team, opened_on, summary FROM case_record "
# Release 3.58 looks the name up in an index.
_BY_SURNAME = _SEARCH + "WHERE lower(surname) = lower(%(term)s) ORDER BY opened_on DESC, id LIMIT 50"
# Release 3.59 "also finds names inside the text": no index can serve that, so every record is read.
_IN_TEXT = (
    _SEARCH + "WHERE lower(surname) = lower(%(term)s) OR (id <= %(depth)s AND regexp_replace(lower(summary), "
    "'[^a-z ]', '', 'g') ~ ('(^| )' || lower(%(term)s) || '( |$)')) ORDER BY opened_on DESC, id LIMIT 50"
)
_IDS_BY_SURNAME = (
    "SELECT id FROM case_record WHERE lower(surname) = lower(%(term)s) ORDER BY opened_on DESC, id LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case record."""

    id: int
    title: str
    surname: str
    team: int
    opened_on: date
    summary: str


@dataclass(frozen=True, slots=True)
class Note:
    """One note of a case."""

    account: str
    body: str
    written_at: datetime


class Database:
    """A pool of connections and the application's statements; each call is one transaction.

    ``text_search_depth`` is how many records the search of release 3.59 reads in full, ``one_by_one`` how many
    cases that of 3.60 asks for one after the other; None keeps the indexed search of 3.58.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        text_search_depth: int | None = None,
        one_by_one: int | None = None,
        connections: int = 8,
    ) -> None:
        self._pool = QueuePool(partial(_connect, conninfo), pool_size=connections, max_overflow=0)
        self._depth = text_search_depth
        self._one_by_one = one_by_one

    def sign_in(self, name: str, password_hash: str, token_hash: str, timing: Timing) -> str:
        """Check a password and start a session: ``in``, ``refused`` or ``locked``; three mistakes lock."""
        with self.transaction(timing) as connection:
            row = connection.execute(
                "SELECT password_hash, bad_passwords FROM account WHERE name = %s FOR UPDATE", (name,)
            ).fetchone()
            if row is None:
                return "refused"
            if row[1] >= MAX_BAD_PASSWORDS:
                return "locked"
            if row[0] != password_hash:
                connection.execute("UPDATE account SET bad_passwords = bad_passwords + 1 WHERE name = %s", (name,))
                return "refused"
            connection.execute("UPDATE account SET bad_passwords = 0 WHERE name = %s AND bad_passwords > 0", (name,))
            connection.execute("INSERT INTO session (token_hash, account) VALUES (%s, %s)", (token_hash, name))
            return "in"

    def account_of(self, token_hash: str, timing: Timing) -> tuple[str | None, str | None]:
        """Find whose session this is; else why it has ended, if that is known."""
        with self.transaction(timing) as connection:
            row = connection.execute(
                "SELECT account, ended FROM session WHERE token_hash = %s", (token_hash,)
            ).fetchone()
        if row is None:
            return None, None
        return (str(row[0]), None) if row[1] is None else (None, str(row[1]))

    def search(self, term: str, timing: Timing) -> Sequence[Case]:
        """Find the newest 50 cases of a surname."""
        if self._one_by_one is not None:
            return self._by_latest_note(term, self._one_by_one, timing)
        statement = _BY_SURNAME if self._depth is None else _IN_TEXT
        with self.transaction(timing) as connection:
            cursor = connection.cursor(row_factory=class_row(Case))
            return cursor.execute(statement, {"term": term, "depth": self._depth}).fetchall()

    def _by_latest_note(self, term: str, limit: int, timing: Timing) -> Sequence[Case]:
        """List the cases with the latest notes first, as release 3.60 does: it asks for each case by itself (N+1)."""
        with self.transaction(timing) as connection:
            rows = connection.execute(_IDS_BY_SURNAME, {"term": term, "limit": limit}).fetchall()
        found = [known for (case_id,) in rows if (known := self.case(case_id, timing)) is not None]
        found.sort(key=lambda known: max((note.written_at.timestamp() for note in known[1]), default=0.0), reverse=True)
        return [case for case, _ in found[:50]]

    def case(self, case_id: int, timing: Timing) -> tuple[Case, Sequence[Note]] | None:
        """Give one case with its newest notes first."""
        with self.transaction(timing) as connection:
            case = connection.cursor(row_factory=class_row(Case)).execute(_SEARCH + "WHERE id = %s", (case_id,))
            found = case.fetchone()
            if found is None:
                return None
            notes = connection.cursor(row_factory=class_row(Note)).execute(
                "SELECT account, body, written_at FROM note WHERE case_id = %s ORDER BY id DESC LIMIT 25", (case_id,)
            )
            return found, notes.fetchall()

    def add_note(self, case_id: int, account: str, body: str, timing: Timing) -> None:
        """Keep a note: one commit, which waits for the database's log."""
        with self.transaction(timing) as connection:
            connection.execute(
                "INSERT INTO note (case_id, account, body) VALUES (%s, %s, %s)", (case_id, account, body)
            )

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.dispose()

    @contextmanager
    def transaction(self, timing: Timing) -> Iterator[Connection[Any]]:
        """Run a block as one transaction, on a connection of the pool."""
        with timing.database(), spans.transaction():
            pooled = self._pool.connect()
            try:
                connection = pooled.driver_connection
                assert isinstance(connection, Connection)
                with connection.transaction():
                    yield connection
            finally:
                pooled.close()


def _connect(conninfo: str) -> Any:  # noqa: ANN401  a DB-API connection, though the type stubs do not agree
    return Connection.connect(conninfo)
