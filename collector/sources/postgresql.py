"""PostgreSQL 14 to 18 by its own statistics: how busy, who waits, and how long a log flush takes.

The user needs the role ``pg_monitor``: without it PostgreSQL hides what others run, and silence
would read as health. ``db.wal.sync.latency`` needs ``track_wal_io_timing = on``.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

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

_LOG = structlog.get_logger("whichlayer.collector")
_NEEDED = 140000
_IO_HAS_WAL = 180000
_ROLE = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
_BUSY = "SELECT sum(active_time) / 1000.0 FROM pg_stat_database"
_NOW = """
SELECT count(*) FILTER (WHERE state = 'active'),
       count(*) FILTER (WHERE wait_event_type = 'Lock'),
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
    """Totals since the statistics were reset; seconds of one monotonic clock, and of the database."""

    at: float
    busy_seconds: float
    syncs: int | None
    sync_seconds: float | None


@dataclass(slots=True, kw_only=True)
class _OpenPostgresql:
    site: str
    component: str
    settings: PostgresqlSettings
    clock: Callable[[], float] = time.monotonic
    _connection: psycopg.Connection[tuple[Any, ...]] | None = None
    _last: _Counters | None = field(default=None)

    def read(self) -> Facts:
        """Give what is now, and rates since the last reading. Raises SourceError."""
        try:
            connection = self._connected()
            active, waiting, longest = _row(connection, _NOW)
            counters = self._counters(connection)
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
            self._sample("db.statement.longest", max(float(longest), 0.0), now),
        ]
        last, self._last = self._last, counters
        if last is None:
            return Facts(samples=tuple(samples))
        remarks = (self._reset(now),) if counters.busy_seconds < last.busy_seconds else ()
        return Facts(samples=(*samples, *self._rates(last, counters, now)), quality=remarks)

    def close(self) -> None:
        """Let go of the connection; the next reading makes a new one, and has no rates."""
        connection, self._connection = self._connection, None
        self._last = None
        if connection is not None:
            connection.close()

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
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
        except SourceError:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _counters(self, connection: psycopg.Connection[tuple[Any, ...]]) -> _Counters:
        (busy,) = _row(connection, _BUSY)
        syncs = seconds = None
        if _row(connection, _WAL_TIMED) == ("on",):
            syncs, seconds = _row(connection, _WAL_IN_IO if connection.info.server_version >= _IO_HAS_WAL else _WAL)
        return _Counters(
            at=self.clock(),
            busy_seconds=float(busy or 0.0),
            syncs=None if syncs is None else int(syncs),
            sync_seconds=None if seconds is None else float(seconds),
        )

    def _rates(self, last: _Counters, now: _Counters, at: datetime) -> list[Sample]:
        period = now.at - last.at
        busy = now.busy_seconds - last.busy_seconds
        if period <= 0 or busy < 0:  # the statistics were reset
            return []
        samples = [self._sample("db.busy", busy / period, at, period)]
        if None in (last.syncs, last.sync_seconds, now.syncs, now.sync_seconds):
            return samples
        syncs = cast("int", now.syncs) - cast("int", last.syncs)
        seconds = cast("float", now.sync_seconds) - cast("float", last.sync_seconds)
        if syncs > 0 and seconds >= 0:  # no flush says nothing about how long one takes
            samples.append(self._sample("db.wal.sync.latency", seconds / syncs, at, period))
        return samples

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

    def _sample(self, metric: str, value: float, at: datetime, period: float | None = None) -> Sample:
        return Sample(
            site=self.site,
            component=self.component,
            layer=CATALOGUE[metric].layer,
            metric=metric,
            at=at,
            value=value,
            period_seconds=period,
        )


class _Postgresql:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenPostgresql:
        """Open with PostgresqlSettings; connects at the first reading. Raises ConfigError."""
        checked = validate(settings, PostgresqlSettings, file="collector.sources")
        return _OpenPostgresql(site=site, component=component, settings=checked)


PLUGIN = _Postgresql()


def _check(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if connection.info.server_version < _NEEDED:
        raise SourceError("PostgreSQL is older than 14: its statistics do not say how busy it is", permanent=True)
    if _row(connection, _ROLE) != (True,):
        user = connection.info.user
        raise SourceError(f"{user} may not see what others run: GRANT pg_monitor TO {user}", permanent=True)
    if _row(connection, _WAL_TIMED) != ("on",):
        _LOG.warning("no db.wal.sync.latency: set track_wal_io_timing = on", database=connection.info.dbname)


def _row(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> tuple[Any, ...]:
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
