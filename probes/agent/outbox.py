"""Keeps what was measured on disk until the collector has said yes.

Rows wait in one SQLite file. ``seal`` binds the oldest rows of one kind to the next sequence number
for good: whatever happens then, that number always means those rows, so a batch sent twice is stored
once. Every commit is on the disk before it counts (``synchronous = FULL``): a number that was used and
then forgotten in a power cut would make the collector drop the next batch as a repetition. For the
same reason a number is never below the time in milliseconds: neither a lost file, nor an older copy of
it that a pooled desktop's profile brought back, gives a number that was used.

The file is held exclusively, so it needs no memory shared between processes and may lie on a network
drive: a redirected profile.

It is bounded in bytes. When it must drop, the oldest rows go and ``report_losses`` says what they were, as it
does of new rows the disk did not take. Those are counted in memory until the disk takes something again: an
agent that is killed before cannot tell of them.
"""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import structlog

from collector.model.errors import WhichlayerError

_log = structlog.get_logger("whichlayer.outbox")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, kept_at REAL NOT NULL,
    body TEXT NOT NULL, sequence INTEGER);
CREATE INDEX IF NOT EXISTS waiting ON row (kind, id) WHERE sequence IS NULL;
CREATE INDEX IF NOT EXISTS sealed ON row (sequence, id) WHERE sequence IS NOT NULL;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS loss (kind TEXT PRIMARY KEY, rows INTEGER NOT NULL, first REAL NOT NULL, last REAL NOT NULL);
"""
_DROP_ROWS = 200  # dropped at once, so that a full outbox does not pay for every single row
_HELD_SECONDS = 10.0  # how long another process may keep the file before that is said
BATCH_ROWS = 500
BATCH_BYTES = 1 << 20
REFUSED_FILES = 50


class Kind(StrEnum):
    """What a batch holds: also the name of the collector's door."""

    RUNS = "runs"
    SESSIONS = "sessions"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows bound to one sequence number; ``rows`` are JSON texts in the order they were measured."""

    kind: Kind
    sequence: int
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Rows that had to be dropped, and the times between which they were measured."""

    kind: Kind
    rows: int
    first: datetime
    last: datetime


class Outbox:
    """The waiting rows of one agent. Safe to use from several threads; one process at a time."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._limit = limit_bytes
        self._lock = threading.RLock()
        self._database = _open(folder / "outbox.sqlite")
        self._bytes = int(self._value("SELECT coalesce(sum(length(body)), 0) FROM row"))
        self._not_taken: list[tuple[Kind, int, float]] = []  # by the disk: of what kind, how many, when

    def put(self, kind: Kind, rows: Sequence[str]) -> None:
        """Keep rows (JSON texts). When there is no room, the oldest rows go first.

        Rows the disk does not take are lost and counted; it is no error of who measured them.
        """
        with self._lock:
            before = self._bytes
            try:
                with self._database:
                    self._count_not_taken()
                    for body in rows:
                        self._keep(kind, body)
            except sqlite3.OperationalError as error:
                self._bytes = before
                if not self._not_taken:
                    _log.error("data lost: the disk takes no rows; they are counted, and told later", reason=str(error))
                self._not_taken.append((kind, len(rows), time.time()))
                return
            self._not_taken.clear()

    def seal(self, agent_id: str) -> Batch | None:
        """Give the oldest batch that is not yet acknowledged, or bind waiting rows to a new one.

        Runs go before samples. None when nothing waits.
        """
        with self._lock, self._database:
            self._belong_to(agent_id)
            sealed = self._database.execute("SELECT min(sequence) FROM row").fetchone()[0]
            if sealed is None:
                sealed = self._bind()
            return None if sealed is None else self._batch(sealed)

    def done(self, batch: Batch) -> None:
        """Forget a batch the collector has stored."""
        with self._lock, self._database:
            self._forget(batch)

    def refuse(self, batch: Batch, reason: str) -> Path:
        """Set a batch aside that the collector will never take; only the latest few are kept."""
        folder = self._folder / "refused"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / f"{batch.sequence}-{batch.kind}.json"
        rows = [json.loads(row) for row in batch.rows]
        path.write_text(json.dumps({"reason": reason, batch.kind: rows}, indent=1), encoding="utf-8")
        for old in sorted(folder.glob("*.json"))[:-REFUSED_FILES]:
            old.unlink()
        with self._lock, self._database:
            self._forget(batch)
        return path

    def report_losses(self, written: Callable[[Loss], str]) -> list[Loss]:
        """Turn what was lost since the last call into samples, kept in the same transaction."""
        with self._lock, self._database:
            found = self._database.execute("DELETE FROM loss RETURNING kind, rows, first, last").fetchall()
            losses = [
                Loss(kind=Kind(kind), rows=rows, first=_time(first), last=_time(last))
                for kind, rows, first, last in found
            ]
            for loss in losses:
                self._keep(Kind.SAMPLES, written(loss))
        return losses

    @property
    def bytes(self) -> int:
        """How much is kept now, in bytes of JSON."""
        return self._bytes

    def waiting(self) -> int:
        """Count the rows that are not yet acknowledged."""
        with self._lock:
            return int(self._value("SELECT count(*) FROM row"))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            with contextlib.suppress(sqlite3.OperationalError), self._database:
                self._count_not_taken()
            self._database.close()

    def _keep(self, kind: Kind, body: str) -> None:
        self._make_room(len(body))
        self._execute("INSERT INTO row (kind, kept_at, body) VALUES (?, ?, ?)", kind, time.time(), body)
        self._bytes += len(body)

    def _make_room(self, needed: int) -> None:
        while self._bytes and self._bytes + needed > self._limit:
            oldest = self._database.execute(
                "SELECT id, kind, kept_at, length(body) FROM row ORDER BY sequence IS NOT NULL, id LIMIT ?",
                (_DROP_ROWS,),
            ).fetchall()
            for identity, kind, kept_at, length in oldest:
                if self._bytes + needed <= self._limit:
                    break
                self._execute("DELETE FROM row WHERE id = ?", identity)
                self._bytes -= length
                self._count_loss(Kind(kind), 1, kept_at, kept_at)

    def _count_loss(self, kind: Kind, rows: int, first: float, last: float) -> None:
        self._execute(
            "INSERT INTO loss VALUES (?, ?, ?, ?) ON CONFLICT (kind) DO UPDATE SET rows = rows + excluded.rows,"
            " first = min(first, excluded.first), last = max(last, excluded.last)",
            kind, rows, first, last,
        )  # fmt: skip

    def _count_not_taken(self) -> None:
        for kind, rows, at in self._not_taken:
            self._count_loss(kind, rows, at, at)

    def _belong_to(self, agent_id: str) -> None:
        """Numbers belong to one enrolment: another one binds what waits anew, under numbers of its own."""
        known = self._database.execute("SELECT value FROM state WHERE name = 'agent'").fetchone()
        if known is None or known[0] != agent_id:
            self._execute("UPDATE row SET sequence = NULL WHERE sequence IS NOT NULL")
            self._execute("INSERT OR REPLACE INTO state VALUES ('agent', ?)", agent_id)

    def _bind(self) -> int | None:
        for kind in Kind:
            waiting = self._database.execute(
                "SELECT id, length(body) FROM row WHERE kind = ? AND sequence IS NULL ORDER BY id LIMIT ?",
                (kind, BATCH_ROWS),
            ).fetchall()
            if waiting:
                sequence = self._next_sequence()
                self._execute(
                    "UPDATE row SET sequence = ? WHERE kind = ? AND sequence IS NULL AND id <= ?",
                    sequence, kind, _last_that_fits(waiting),
                )  # fmt: skip
                return sequence
        return None

    def _next_sequence(self) -> int:
        last = self._database.execute("SELECT value FROM state WHERE name = 'sequence'").fetchone()
        sequence = max(int(last[0]) + 1 if last else 0, time.time_ns() // 1_000_000)
        self._execute("INSERT OR REPLACE INTO state VALUES ('sequence', ?)", str(sequence))
        return sequence

    def _batch(self, sequence: int) -> Batch:
        rows = self._database.execute(
            "SELECT kind, body FROM row WHERE sequence = ? ORDER BY id", (sequence,)
        ).fetchall()
        return Batch(kind=Kind(rows[0][0]), sequence=sequence, rows=tuple(body for _, body in rows))

    def _forget(self, batch: Batch) -> None:
        gone = self._value("SELECT coalesce(sum(length(body)), 0) FROM row WHERE sequence = ?", batch.sequence)
        self._execute("DELETE FROM row WHERE sequence = ?", batch.sequence)
        self._bytes -= int(gone)

    def _execute(self, statement: str, *values: object) -> None:
        self._database.execute(statement, values)

    def _value(self, statement: str, *values: object) -> int:
        return int(self._database.execute(statement, values).fetchone()[0])


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, or put a damaged one aside: the agent goes on, and the old file can be looked at."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if _is_held(error):
            raise WhichlayerError(
                f"{path} is held by another process, or by a machine that is gone: try again"
            ) from None
        if not path.exists():
            raise
        path.rename(path.with_name(f"outbox.damaged-{time.time_ns() // 1_000_000}.sqlite"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)  # before SQLite does: the files it puts beside it get the same rights
    database = sqlite3.connect(path, check_same_thread=False, timeout=_HELD_SECONDS)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # before WAL: then no file is mapped into memory
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = OFF")
        database.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _is_held(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _last_that_fits(waiting: Sequence[tuple[int, int]]) -> int:
    size, last = 0, waiting[0][0]
    for identity, length in waiting:
        size += length
        if size > BATCH_BYTES and identity != waiting[0][0]:
            break
        last = identity
    return last


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
