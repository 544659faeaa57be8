"""Statements by pg_stat_statements: the kinds that took most of the time since the last reading.

A statement counts when it ends, so one that runs for an hour is told an hour late (``db.statement.longest`` tells it
while it runs). Those of the role that reads are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import psycopg
import structlog
from psycopg import sql

from collector.sources._statements import Cost, Costs, most, shape

_LOG = structlog.get_logger("whichlayer.collector")
_EXTENSION = """
SELECT extversion, nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
WHERE extname = 'pg_stat_statements'
"""
_TOTALS = """
SELECT userid, dbid, toplevel, queryid, calls, total_exec_time / 1000.0 FROM {}.pg_stat_statements(false)
WHERE queryid IS NOT NULL AND userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
"""
_TEXTS = "SELECT queryid, left(query, 4000) FROM {}.pg_stat_statements(true) WHERE queryid = ANY(%s)"
_NEEDED = (1, 9)
_MOST_SHAPES = 2_000
_HOW = "CREATE EXTENSION pg_stat_statements in this database, and shared_preload_libraries = 'pg_stat_statements'"

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class Statements:
    """The statements of one server, over one connection."""

    def __init__(self, schema: str) -> None:
        """``schema`` is where the extension lies."""
        self._totals = sql.SQL(_TOTALS).format(sql.Identifier(schema))
        self._texts = sql.SQL(_TEXTS).format(sql.Identifier(schema))
        self._costs = Costs[tuple[int, int, bool, int]]()
        self._shapes: dict[int, str] = {}

    def costly(self, connection: Connection, count: int) -> Mapping[str, Cost]:
        """Give up to ``count`` shapes with what they cost since the last call, the costliest first."""
        rows = connection.execute(self._totals).fetchall()
        now = {tuple(row[:4]): Cost(float(row[4]), float(row[5])) for row in rows}
        top = most(((key[3], cost) for key, cost in self._costs.grown(now).items()), count)
        self._learn(connection, top.keys() - self._shapes.keys())
        return most(((self._shapes.get(query, "…"), cost) for query, cost in top.items()), count)

    def _learn(self, connection: Connection, unknown: Iterable[int]) -> None:
        wanted = list(unknown)
        if not wanted:
            return
        if len(self._shapes) > _MOST_SHAPES:
            self._shapes.clear()
        for query, text in connection.execute(self._texts, [wanted]).fetchall():
            self._shapes[query] = shape(text or "")


def statements_of(connection: Connection) -> Statements | None:
    """Find the extension; without it say what to do, and give None."""
    found = connection.execute(_EXTENSION).fetchone()
    database = connection.info.dbname
    if found is None:
        _LOG.warning(f"no statements: {_HOW}", database=database)
        return None
    version, schema = found
    if tuple(int(part) for part in version.split(".")) < _NEEDED:
        _LOG.warning("no statements: ALTER EXTENSION pg_stat_statements UPDATE", database=database, version=version)
        return None
    made = Statements(schema)
    try:
        made.costly(connection, 0)
    except psycopg.errors.ObjectNotInPrerequisiteState:
        _LOG.warning(f"no statements: {_HOW}", database=database)
        return None
    return made
