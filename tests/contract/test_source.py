"""What every source promises, held against the real thing it reads."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from collector import sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, SourceError
from collector.model.sample import Sample
from collector.plugin import load, names
from collector.source import OpenSource, Source
from deploy.lab import postgres
from tests.peers.monitoring import free_port, program

pytestmark = pytest.mark.integration
KNOWN = {"citrix", "postgresql", "prometheus", "scrape", "sqlserver"}
LAYER = {name: metric.layer for name, metric in CATALOGUE.items()}


def outside_namespaces() -> str | None:
    if shutil.which("unshare") is None:
        return "unshare is not installed: PostgreSQL refuses to run as root"
    tried = subprocess.run([*postgres.as_ordinary_user(), "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "user namespaces are not allowed here: PostgreSQL refuses to run as root"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL with the databases' own statistics on; gives the folder of its socket."""
    reason = outside_namespaces()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("pg")
    data = folder / "data"
    postgres.create([], data, folder / "wal")
    rules = data / "pg_hba.conf"
    rules.write_text("local all locked reject\nlocal all secret scram-sha-256\n" + rules.read_text())
    with (folder / "log").open("wb") as log:
        preloaded = ["-c", "shared_preload_libraries=pg_stat_statements"]
        process = subprocess.Popen([*postgres.server(data, folder), *preloaded], stdout=log, stderr=log)
    try:
        postgres.wait_and_create_database(folder)
        with psycopg.connect(postgres.conninfo(folder), autocommit=True) as connection:
            connection.execute("CREATE ROLE blind LOGIN")
            connection.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
            connection.execute("CREATE ROLE secret LOGIN PASSWORD 'right' IN ROLE pg_monitor")
            connection.execute("CREATE ROLE locked LOGIN")
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("CREATE TABLE notes (id int PRIMARY KEY, note text)")
            connection.execute("INSERT INTO notes VALUES (1, 'a')")
        yield folder
    finally:
        process.send_signal(2)
        process.wait(30)


def opened(folder: Path, user: str = "watcher", **more: Any) -> OpenSource:
    plugin = load(sources, "postgresql", Source)
    settings = {"dsn": f"host={folder} user={user} dbname=casebook"} | more
    return plugin.open(site="s", component="db-1", settings=settings)


def values(samples: Sequence[Sample]) -> dict[str, float]:
    return {sample.metric: sample.value for sample in samples}


def test_the_suite_knows_every_source() -> None:
    assert set(names(sources)) == KNOWN


def test_the_first_reading_has_no_rates(server: Path) -> None:
    source = opened(server)
    now = {"db.connections.active", "db.waits.lock", "db.waits.io", "db.statement.longest"}
    assert set(values(source.read().samples)) == now
    source.close()


def test_every_sample_is_in_the_catalogue_under_its_layer(server: Path) -> None:
    source = opened(server)
    source.read()
    busy(server, seconds=0.2)
    for sample in source.read().samples:
        assert sample.layer is LAYER[sample.metric]
        assert sample.site == "s"
        assert sample.component == "db-1" or (sample.metric.startswith("db.statement.") and sample.labels["statement"])
    source.close()


def busy(folder: Path, *, seconds: float) -> None:
    with psycopg.connect(postgres.conninfo(folder), autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(%s)", [seconds])
        for _ in range(20):
            connection.execute("UPDATE notes SET note = note WHERE id = 1")


def test_busy_time_and_log_flushes_are_rates_of_the_period(server: Path) -> None:
    source = opened(server)
    source.read()
    began = time.monotonic()
    busy(server, seconds=1.0)
    samples = {sample.metric: sample for sample in source.read().samples}
    took = time.monotonic() - began
    rate = samples["db.busy"]
    assert rate.period_seconds is not None
    assert 1.0 <= rate.value * rate.period_seconds <= took + 0.5
    assert 0 < samples["db.wal.sync.latency"].value < 1
    source.close()


def test_statements_that_took_the_time_are_told_by_their_shape(server: Path) -> None:
    slow = "SELECT count(*) FROM generate_series(1, 100000) AS g WHERE g::text <> 'canary' /* canary */"
    with (
        closing(opened(server)) as source,
        psycopg.connect(postgres.conninfo(server), autocommit=True) as connection,
    ):
        source.read()
        began = time.monotonic()
        for _ in range(8):
            connection.execute(slow.encode())
        took = time.monotonic() - began
        connection.execute("CREATE ROLE somebody PASSWORD 'canary'")
        connection.execute("DROP ROLE somebody")
        told = [sample for sample in source.read().samples if sample.labels]
    kinds = {sample.labels["statement"]: sample.component for sample in told}
    assert len(set(kinds.values())) == len(kinds) >= 3
    assert {"CREATE …", "DROP …"} <= kinds.keys()
    assert "canary" not in str(told)
    shape = "SELECT count (*) FROM generate_series (?, …) AS g WHERE g::text <> ?"
    mine = {sample.metric: sample for sample in told if sample.labels["statement"] == shape}
    mean, busy = mine["db.statement.mean"], mine["db.statement.busy"]
    assert 0 < mean.value * 8 <= took
    shares = [sample.value for sample in told if sample.metric == "db.statement.busy"]
    assert shares == sorted(shares, reverse=True)
    assert busy.value * (busy.period_seconds or 0) == pytest.approx(mean.value * 8)


@pytest.mark.parametrize(("database", "asked"), [("postgres", 10), ("casebook", 0)])
def test_without_the_extension_everything_else_is_told_and_how_to_get_it(
    server: Path, database: str, asked: int
) -> None:
    with closing(opened(server, dsn=f"host={server} user=watcher dbname={database}", statements=asked)) as source:
        with capture_logs() as logs:
            source.read()
        busy(server, seconds=0.1)
        found = source.read().samples
    assert "db.busy" in values(found)
    assert not [sample for sample in found if sample.labels]
    told = [log["event"] for log in logs if "pg_stat_statements" in log["event"]]
    assert len(told) == (1 if asked else 0)


def test_the_same_server_is_read_by_its_exporter(server: Path, tmp_path: Path) -> None:
    if shutil.which("prometheus-postgres-exporter") is None:
        pytest.skip("prometheus-postgres-exporter is not installed")
    port = free_port()
    command = ["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{port}"]
    given = {"DATA_SOURCE_NAME": f"host={server} user=watcher dbname=casebook sslmode=disable"}
    settings = {"url": f"http://127.0.0.1:{port}/metrics", "mappings": ["postgres_exporter"]}
    source = load(sources, "scrape", Source).open(site="s", component="db-1", settings=settings)
    with program(command, tmp_path, given):
        until(lambda: bool(source.read()))
        began = time.monotonic()
        busy(server, seconds=0.7)
        found = source.read().samples
        took = time.monotonic() - began
    mine = {sample.metric: sample for sample in found if sample.component == "db-1-casebook"}
    source.close()
    assert {"db.connections.active", "db.deadlocks"} <= mine.keys()
    assert 0.7 <= mine["db.busy"].value * (mine["db.busy"].period_seconds or 0) <= took + 0.7


def until(done: Callable[[], bool]) -> None:
    """Wait until a source can be read."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except SourceError:
            time.sleep(0.05)
    raise AssertionError("it cannot be read")


def test_waiting_for_a_lock_is_seen_and_the_reader_is_not(server: Path) -> None:
    source = opened(server)
    with psycopg.connect(postgres.conninfo(server)) as holder:
        holder.execute("UPDATE notes SET note = 'b' WHERE id = 1")
        waiter = threading.Thread(target=busy, args=(server,), kwargs={"seconds": 0})
        waiter.start()
        deadline = time.monotonic() + 20
        seen: dict[str, float] = {}
        while seen.get("db.waits.lock") != 1 and time.monotonic() < deadline:
            time.sleep(0.1)
            seen = values(source.read().samples)
        assert seen["db.waits.lock"] == 1
        assert seen["db.connections.active"] == 1
        assert seen["db.statement.longest"] > 0
        holder.rollback()
        waiter.join(20)
    assert values(source.read().samples)["db.waits.lock"] == 0
    source.close()


def test_who_may_not_look_is_told_what_to_grant(server: Path) -> None:
    with pytest.raises(SourceError, match="GRANT pg_monitor TO blind") as caught:
        opened(server, "blind").read()
    assert caught.value.permanent


@pytest.mark.parametrize("user", ["locked", "secret"])
def test_a_refused_sign_in_is_permanent_and_keeps_the_password(
    server: Path, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "canary-password")
    with pytest.raises(SourceError) as caught:
        opened(server, user, password="env:WRONG").read()
    assert caught.value.permanent
    assert "canary" not in str(caught.value)


def test_a_password_comes_by_reference(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIGHT", "right")
    source = opened(server, "secret", password="env:RIGHT")
    assert source.read()
    source.close()


def test_a_server_that_is_away_may_come_back(tmp_path: Path, server: Path) -> None:
    with pytest.raises(SourceError) as caught:
        opened(tmp_path).read()
    assert not caught.value.permanent
    source = opened(server)
    source.read()
    with psycopg.connect(postgres.conninfo(server), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'watcher'")
    with pytest.raises(SourceError):
        source.read()
    assert "db.busy" not in values(source.read().samples)
    source.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "dsn: is missing"),
        ({"dsn": "host=x password=hunter2"}, "must not hold a password"),
        ({"dsn": "no such thing"}, "not a libpq connection string"),
        ({"dsn": "host=x", "colour": 1}, "colour: is not a known key"),
    ],
)
def test_wrong_settings_are_refused_when_it_is_opened(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(sources, "postgresql", Source).open(site="s", component="db-1", settings=settings)
    assert "hunter2" not in str(caught.value)
