"""SQL Server by its own views. Written from Microsoft's documents; it was never run against a real server.

The user needs VIEW SERVER STATE: without it the views show nothing but oneself, and silence would read as health.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pymssql
from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.errors import SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.secret import hide, resolve
from collector.sources._statements import Cost, Costs, digest, most, shape
from collector.sources.sqlserver import queries
from collector.sources.sqlserver.rows import ALL, Handle, Row, Told, Totals, costs_of, files_of, rates, waits_of

_REFUSED = 18456  # "Login failed for user"
_MARGIN = 5.0  # seconds: a statement that ended while the last reading was made
_MOST_SHAPES = 2_000
_GAUGES = {"Page life expectancy": "db.memory.page.life", "Memory Grants Pending": "db.memory.grants.pending"}
_DEADLOCKS = "Number of Deadlocks/sec"  # called so, and a total all the same


class SqlserverSettings(Document):
    """Settings of one ``sqlserver`` source."""

    host: str = Field(min_length=1, description="name or address of the server")
    port: int = Field(default=1433, ge=1, le=65535, description="its TCP port; a named instance has its own")
    user: str = Field(min_length=1, description="a login with VIEW SERVER STATE and nothing else")
    password: str = Field(description="secret reference: keyring:…, file:… or env:…")
    encryption: Literal["require", "request"] = Field(default="require", description="require, or request for old ones")
    timeout: Seconds = Field(default=10.0, ge=1, le=60, description="how long connecting or one query may take")
    statements: int = Field(default=10, ge=0, le=100, description="how many kinds of statements are told; 0: none")


@dataclass(slots=True, kw_only=True)
class OpenSqlserver:
    """Remembers what had grown to what. ``connect`` is the driver's."""

    site: str
    component: str
    settings: SqlserverSettings
    clock: Callable[[], float] = time.monotonic
    connect: Callable[..., Any] = pymssql.connect
    _connection: Any = None
    _last: Totals | None = None
    _costs: Costs[Handle] = field(default_factory=Costs)
    _shapes: dict[Handle, str] = field(default_factory=dict)

    def read(self) -> Facts:
        """Give what is now, and rates since the last reading. Raises SourceError."""
        try:
            return Facts(samples=tuple(self._samples()))
        except pymssql.Error as error:
            self.close()
            number, reason = _told(error)
            raise SourceError(f"{self.settings.host}: {reason}", permanent=number == _REFUSED) from None
        except SourceError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; the next reading makes a new one, and has no rates."""
        connection, self._connection = self._connection, None
        self._last, self._costs = None, Costs()
        if connection is not None:
            connection.close()

    def _samples(self) -> Iterator[Sample]:
        self._connected()
        ((active, locked, reading, oldest),) = self._rows(queries.NOW)
        counters = {str(name): float(value) for name, value in self._rows(queries.COUNTERS)}
        totals = Totals(
            at=self.clock(),
            waits=waits_of(self._rows(queries.WAITS)),
            files=files_of(self._rows(queries.FILES)),
            deadlocks=counters.get(_DEADLOCKS),
        )
        last, self._last = self._last, totals
        period = None if last is None else totals.at - last.at
        costly = self._costly(period)
        at = datetime.now(UTC)
        yield self._sample(Told("db.connections.active", float(active)), at)
        yield self._sample(Told("db.waits.lock", float(locked or 0)), at)
        yield self._sample(Told("db.waits.io", float(reading or 0)), at)
        yield self._sample(Told("db.statement.longest", float(oldest or 0) / 1000), at)
        for name, metric in _GAUGES.items():
            if name in counters:
                yield self._sample(Told(metric, counters[name]), at)
        if last is not None and period:
            for told in rates(last, totals):
                yield self._sample(told, at, period)
            for said, cost in costly.items():
                yield self._sample(Told("db.statement.mean", cost.seconds / cost.calls), at, period, said)
                yield self._sample(Told("db.statement.busy", cost.seconds / period), at, period, said)

    def _costly(self, period: float | None) -> Mapping[str, Cost]:
        """Give shapes with what they cost since the last reading, the costliest first."""
        if not self.settings.statements:
            return {}
        back = ALL if period is None or not self._costs.known else int(period + _MARGIN) + 1
        now = costs_of(self._rows(queries.STATEMENTS, (back,)))
        top = most(self._costs.grown(now, whole=False).items(), self.settings.statements)
        if len(self._shapes) > _MOST_SHAPES:
            self._shapes.clear()
        for handle in top.keys() - self._shapes.keys():
            rows = self._rows(queries.TEXT, (handle[0], handle[2]))
            self._shapes[handle] = shape(str(rows[0][0] or ""), quoted_names=False) if rows else "…"
        return most(((self._shapes[handle], cost) for handle, cost in top.items()), self.settings.statements)

    def _sample(self, told: Told, at: datetime, period: float | None = None, said: str | None = None) -> Sample:
        part = f"q{digest(said)}" if said is not None else as_name(told.database or "")
        return Sample(
            site=self.site,
            component=f"{self.component}-{part}" if part else self.component,
            layer=CATALOGUE[told.metric].layer,
            metric=told.metric,
            at=at,
            value=told.value,
            period_seconds=period,
            labels={} if said is None else {"statement": said},
        )

    def _connected(self) -> None:
        if self._connection is not None:
            return
        limit = int(self.settings.timeout)
        self._connection = self.connect(
            server=self.settings.host,
            port=str(self.settings.port),
            user=self.settings.user,
            password=resolve(self.settings.password),
            encryption=self.settings.encryption,
            login_timeout=limit,
            timeout=limit,
            appname="whichlayer",
            autocommit=True,
        )
        if self._rows(queries.MAY_LOOK) != [(1,)]:
            user = self.settings.user
            what = f"{user} may not see what the server does: GRANT VIEW SERVER STATE TO [{user}]"
            raise SourceError(what, permanent=True)

    def _rows(self, query: str, given: tuple[Any, ...] | None = None) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, given)
            return [tuple(row) for row in cursor.fetchall()]


class _Sqlserver:
    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenSqlserver:
        """Open with SqlserverSettings; connects at the first reading. Raises ConfigError."""
        checked = validate(settings, SqlserverSettings, file="collector.sources")
        return OpenSqlserver(site=site, component=component, settings=checked)


PLUGIN = _Sqlserver()


def _told(error: pymssql.Error) -> tuple[int | None, str]:
    """Give the server's number of an error and its words, once: the driver repeats them."""
    number, said = None, ""
    first = error.args[0] if error.args else ""
    if isinstance(first, tuple) and len(first) == 2:
        number, first = first
    elif len(error.args) == 2:
        number, first = error.args
    said = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    lines = dict.fromkeys(line.strip() for line in said.splitlines() if line.strip() and "message" not in line[:16])
    return number, hide(" ".join(lines))[:300] or type(error).__name__
