"""SQL Server: rows of its views into numbers. Against a double of the driver's connection; no server was ever asked."""

import sys
from typing import Any

import pymssql
import pytest

from collector import sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, PluginError, SourceError
from collector.model.sample import Sample
from collector.plugin import load
from collector.source import Source
from collector.sources.sqlserver import queries
from collector.sources.sqlserver.plugin import OpenSqlserver
from tests.doubles import sqlserver as double
from tests.peers.monitoring import free_port


@pytest.fixture
def server() -> double.Connection:
    return double.Connection()


@pytest.fixture
def source(server: double.Connection, monkeypatch: pytest.MonkeyPatch) -> OpenSqlserver:
    """A source whose readings are ten seconds apart."""
    monkeypatch.setenv("MSSQL", "canary-word")
    made = opened()
    times = iter(range(0, 1000, 10))
    made.clock = lambda: float(next(times))
    made.connect = lambda **_: server
    return made


def opened(**more: Any) -> OpenSqlserver:
    settings = {"host": "127.0.0.1", "user": "watcher", "password": "env:MSSQL", "timeout": 1} | more
    made = load(sources, "sqlserver", Source).open(site="s", component="db-1", settings=settings)
    assert isinstance(made, OpenSqlserver)
    return made


def values(samples: tuple[Sample, ...]) -> dict[tuple[str, str], float]:
    return {(sample.metric, sample.component): sample.value for sample in samples}


def test_waits_files_memory_and_statements_are_told_of_the_time_between(
    source: OpenSqlserver, server: double.Connection
) -> None:
    first = source.read().samples
    assert not [sample for sample in first if sample.period_seconds is not None]
    server.rows = double.busy()
    found = source.read().samples
    assert all(sample.layer is CATALOGUE[sample.metric].layer for sample in found)
    kinds = {sample.labels["statement"]: sample.component for sample in found if sample.labels}
    assert list(kinds) == ["SELECT n FROM [Case Notes] WHERE name = ? OR town = ?"]
    (kind,) = kinds.values()
    assert values(found) == pytest.approx(
        {
            ("db.connections.active", "db-1"): 7,
            ("db.waits.lock", "db-1"): 3,
            ("db.waits.io", "db-1"): 2,
            ("db.statement.longest", "db-1"): 12.5,
            ("db.memory.page.life", "db-1"): 90,
            ("db.memory.grants.pending", "db-1"): 4,
            ("db.waiting.lock", "db-1"): 2.5,  # 25 seconds of all that waited, in ten
            ("db.waiting.read", "db-1"): 0.8,
            ("db.waiting.log", "db-1"): 0.05,
            ("db.waiting.memory", "db-1"): 0,
            ("db.waiting.client", "db-1"): 0,
            ("db.deadlocks", "db-1"): 0.2,
            ("db.read.latency", "db-1-casebook"): 0.06,
            ("db.wal.sync.latency", "db-1-casebook"): 0.002,
            ("db.statement.mean", kind): 0.16,
            ("db.statement.busy", kind): 0.8,
        }
    )
    assert "canary" not in str(found)
    spans = [given for query, given in server.asked if query == queries.STATEMENTS]
    assert spans == [(315_360_000,), (16,)]  # everything once, then what ran since


def test_a_server_that_started_anew_has_no_rates_of_what_fell(source: OpenSqlserver, server: double.Connection) -> None:
    server.rows = double.busy()
    source.read()
    server.rows = double.quiet()
    found = source.read().samples
    metrics = {sample.metric for sample in found if sample.period_seconds is not None}
    assert metrics == {"db.waiting.memory", "db.waiting.client", "db.statement.mean", "db.statement.busy"}


def test_who_may_not_look_is_told_what_to_grant(source: OpenSqlserver, server: double.Connection) -> None:
    server.rows = {queries.MAY_LOOK: [(0,)]}
    with pytest.raises(SourceError, match=r"GRANT VIEW SERVER STATE TO \[watcher\]") as caught:
        source.read()
    assert caught.value.permanent
    assert server.closed


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (pymssql.OperationalError((18456, b"Login failed for user 'watcher', canary-word.\n")), True),
        (pymssql.OperationalError((20003, b"Adaptive Server connection timed out\n")), False),
        (pymssql.InterfaceError("Connection is closed."), False),
    ],
)  # fmt: skip
def test_a_refused_sign_in_is_permanent_and_no_password_is_said(
    source: OpenSqlserver, error: pymssql.Error, permanent: bool
) -> None:
    def connect(**given: Any) -> None:
        assert given["password"] == "canary-word"
        raise error

    source.connect = connect
    with pytest.raises(SourceError) as caught:
        source.read()
    assert caught.value.permanent is permanent
    assert "canary-word" not in str(caught.value)


def test_a_server_that_is_away_is_told_by_the_driver_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSSQL", "canary-word")
    source = opened(port=free_port())
    with pytest.raises(SourceError, match=r"127\.0\.0\.1: .*Unable to connect") as caught:
        source.read()
    assert not caught.value.permanent


def test_without_the_driver_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymssql", None)
    monkeypatch.delitem(sys.modules, "collector.sources.sqlserver.plugin")
    with pytest.raises(PluginError, match="needs the package 'pymssql'"):
        load(sources, "sqlserver", Source)


def test_wrong_settings_are_refused_when_it_is_opened() -> None:
    with pytest.raises(ConfigError, match="host: is missing"):
        load(sources, "sqlserver", Source).open(site="s", component="c", settings={"user": "a", "password": "env:A"})
