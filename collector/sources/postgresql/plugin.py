"""PostgreSQL 14 to 18 by its own statistics: how busy, who waits, how long disks take, which statements took the time.

The user needs the role ``pg_monitor``: without it PostgreSQL hides what others run, and silence
would read as health. ``db.wal.sync.latency`` needs ``track_wal_io_timing = on``, ``db.read.latency`` needs
``track_io_timing = on``, statements need the extension ``pg_stat_statements``.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, field_validator

from collector.document import Document, Seconds, validate
from collector.model.catalogue import CATALOGUE
from collector.model.errors import SourceError
from collector.model.facts import Facts
from collector.model.quality import QualityEvent, QualityKind, event_id
from collector.model.sample import Sample
from collector.secret import resolve
from collector.sources._statements import Cost, digest
from collector.sources.postgresql.statements import Connection, Statements, statements_of

_LOG = structlog.get_logger("whichlayer.collector")
_NEEDED = 140000
_IO_HAS_WAL = 180000
_ROLE = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
_TOTALS = """
SELECT sum(active_time) / 1000.0, sum(deadlocks), sum(blks_read), sum(blk_read_time) / 1000.0,
       current_setting('track_io_timing'), sum(xact_commit + xact_rollback)
FROM pg_stat_database
"""
_NOW = """
SELECT count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE wait_event_type = 'Lock'),
       count(*) FILTER (WHERE wait_event_type = 'IO' AND state = 'active'),
       coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE state = 'active'), 0)
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_WAL_TIMED = "SELECT current_setting('track_wal_io_timing')"
_WAL_IN_IO = "SELECT sum(fsyncs), sum(fsync_time) / 1000.0 FROM pg_stat_io WHERE object = 'wal'"
_WAL = "SELECT wal_sync, wal_sync_time / 1000.0 FROM pg_stat_wal"


class PostgresqlSettings(Document):
    """Settings of one ``postgresql`` source."""

    dsn: str = Field(description="libpq connection string or URL, without a password")
    password: str | None = Field(default=None, description="secret reference: keyring:…, file:… or env:…")
    timeout: Seconds = Field(default=5.0, ge=1, le=60, description="how long connecting or one reading may take")
    statements: int = Field(default=10, ge=0, le=100, description="how many kinds of statements are told; 0: none")

    @field_validator("dsn")
    @classmethod
    def _without_password(cls, value: str) -> str:
        try:
            words = conninfo_to_dict(value)
        except psycopg.ProgrammingError:
            raise ValueError("is not a libpq connection string or URL") from None
        if "password" in words:
            raise ValueError("must not hold a password: give a reference in password")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counters:
    """Totals since the statistics were reset; seconds of one monotonic clock, and of the database. None: not timed."""

    at: float
    busy_seconds: float
    deadlocks: float
    reads: float
    read_seconds: float | None
    transactions: float
    syncs: float
    sync_seconds: float | None


@dataclass(slots=True, kw_only=True)
class _OpenPostgresql:
    site: str
    component: str
    settings: PostgresqlSettings
    clock: Callable[[], float] = time.monotonic
    _connection: Connection | None = None
    _last: _Counters | None = field(default=None)
    _statements: Statements | None = None

    def read(self) -> Facts:
        """Give what is now, and rates since the last reading. Raises SourceError."""
        try:
            connection = self._connected()
            active, waiting, reading, longest = _row(connection, _NOW)
            counters = self._counters(connection)
            costly = self._costly(connection)
        except psycopg.OperationalError as error:
            self.close()
            raise SourceError(_reason(error), permanent=_is_refusal(error)) from None
        except psycopg.Error as error:
            self.close()
            raise SourceError(_reason(error)) from None
        now = datetime.now(UTC)
        samples = [
            self._sample("db.connections.active", float(active), now),
            self._sample("db.waits.lock", float(waiting), now),
            self._sample("db.waits.io", float(reading), now),
            self._sample("db.statement.longest", max(float(longest), 0.0), now),
        ]
        last, self._last = self._last, counters
        if last is None:
            return Facts(samples=tuple(samples))
        samples += [*self._rates(last, counters, now), *self._of_kinds(costly, counters.at - last.at, now)]
        remarks = (self._reset(now),) if counters.busy_seconds < last.busy_seconds else ()
        return Facts(samples=tuple(samples), quality=remarks)

    def close(self) -> None:
        """Let go of the connection; the next reading makes a new one, and has no rates."""
        connection, self._connection = self._connection, None
        self._last = self._statements = None
        if connection is not None:
            connection.close()

    def _connected(self) -> Connection:
        if self._connection is not None:
            return self._connection
        words: dict[str, Any] = {
            "connect_timeout": int(self.settings.timeout),
            "application_name": "whichlayer",
            "options": f"-c statement_timeout={int(self.settings.timeout * 1000)} -c default_transaction_read_only=on",
        }
        if self.settings.password is not None:
            words["password"] = resolve(self.settings.password)
        connection = psycopg.connect(make_conninfo(self.settings.dsn, **words), autocommit=True)
        try:
            _check(connection)
            self._statements = statements_of(connection) if self.settings.statements else None
        except (SourceError, psycopg.Error):
            connection.close()
            raise
        self._connection = connection
        return connection

    def _counters(self, connection: Connection) -> _Counters:
        busy, deadlocks, reads, read_seconds, timed, transactions = _row(connection, _TOTALS)
        syncs, sync_seconds = 0, None
        if _row(connection, _WAL_TIMED) == ("on",):
            syncs, sync_seconds = _row(
                connection, _WAL_IN_IO if connection.info.server_version >= _IO_HAS_WAL else _WAL
            )
        return _Counters(
            at=self.clock(),
            busy_seconds=float(busy or 0.0),
            deadlocks=float(deadlocks or 0),
            reads=float(reads or 0),
            read_seconds=float(read_seconds or 0.0) if timed == "on" else None,
            transactions=float(transactions or 0),
            syncs=float(syncs or 0),
            sync_seconds=None if sync_seconds is None else float(sync_seconds),
        )

    def _costly(self, connection: Connection) -> Mapping[str, Cost]:
        return {} if self._statements is None else self._statements.costly(connection, self.settings.statements)

    def _reset(self, at: datetime) -> QualityEvent:
        return QualityEvent(
            event_id=event_id(QualityKind.COUNTER_RESET, self.site, self.component, at.isoformat()),
            told_at=at,
            at=at,
            until=at,
            site=self.site,
            kind=QualityKind.COUNTER_RESET,
            subject=self.component,
            layers=(CATALOGUE["db.busy"].layer,),
            detail="the statistics of PostgreSQL were reset: no rates for one reading",
        )

    def _rates(self, last: _Counters, now: _Counters, at: datetime) -> Iterator[Sample]:
        period = now.at - last.at
        busy, deadlocks = now.busy_seconds - last.busy_seconds, now.deadlocks - last.deadlocks
        if period <= 0 or busy < 0 or deadlocks < 0:  # the statistics were reset
            return
        yield self._sample("db.busy", busy / period, at, period)
        yield self._sample("db.deadlocks", deadlocks / period, at, period)
        ended = now.transactions - last.transactions
        yield self._sample("db.transactions", ended / period, at, period)
        if ended > 0:
            yield self._sample("db.transaction.mean", busy / ended, at, period)
        flushes, reads = now.syncs - last.syncs, now.reads - last.reads
        for metric, count, took in (
            ("db.wal.sync.latency", flushes, _longer(last.sync_seconds, now.sync_seconds)),
            ("db.read.latency", reads, _longer(last.read_seconds, now.read_seconds)),
        ):
            if count > 0 and took is not None:  # no operation says nothing about how long one takes
                yield self._sample(metric, took / count, at, period)

    def _of_kinds(self, costly: Mapping[str, Cost], period: float, at: datetime) -> Iterator[Sample]:
        """Give samples of kinds of statements; each kind is a component of its own, named by its shape."""
        for said, cost in costly.items() if period > 0 else ():
            yield self._sample("db.statement.mean", cost.seconds / cost.calls, at, period, said)
            yield self._sample("db.statement.busy", cost.seconds / period, at, period, said)

    def _sample(
        self, metric: str, value: float, at: datetime, period: float | None = None, said: str | None = None
    ) -> Sample:
        return Sample(
            site=self.site,
            component=self.component if said is None else f"{self.component}-q{digest(said)}",
            layer=CATALOGUE[metric].layer,
            metric=metric,
            at=at,
            value=value,
            period_seconds=period,
            labels={} if said is None else {"statement": said},
        )


class _Postgresql:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenPostgresql:
        """Open with PostgresqlSettings; connects at the first reading. Raises ConfigError."""
        checked = validate(settings, PostgresqlSettings, file="collector.sources")
        return _OpenPostgresql(site=site, component=component, settings=checked)


PLUGIN = _Postgresql()


def _check(connection: Connection) -> None:
    if connection.info.server_version < _NEEDED:
        raise SourceError("PostgreSQL is older than 14: its statistics do not say how busy it is", permanent=True)
    if _row(connection, _ROLE) != (True,):
        user = connection.info.user
        raise SourceError(f"{user} may not see what others run: GRANT pg_monitor TO {user}", permanent=True)
    if _row(connection, _WAL_TIMED) != ("on",):
        _LOG.warning("no db.wal.sync.latency: set track_wal_io_timing = on", database=connection.info.dbname)


def _longer(last: float | None, now: float | None) -> float | None:
    """Give the seconds between; None where they were not timed, or were reset."""
    return None if last is None or now is None or now < last else now - last


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row


def _is_refusal(error: psycopg.Error) -> bool:
    """Say whether the server refused who we are; while connecting the code comes only as text."""
    if error.sqlstate is not None:
        return error.sqlstate.startswith("28")
    text = str(error)
    return "authentication failed" in text or "pg_hba.conf" in text or "no password supplied" in text


def _reason(error: psycopg.Error) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
