"""Real programs that send spans to a real collector: casebook on its PostgreSQL, and what may stand in between."""

import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import psycopg

from collector.model.access import Access, Link, Presentation
from collector.model.run import Run, StepTiming
from collector.registry import Scope
from dashboards.facts import walk as facts
from deploy.lab import postgres
from deploy.lab.casebook import content, documents
from deploy.lab.program import Programs, module
from probes.drivers.http.plugin import PLUGIN
from probes.journey import file as journeys
from probes.walk import Place, walk
from whichlayer.data import opened
from whichlayer.settings import load

JOURNEY = Path(__file__).parents[2] / "deploy" / "lab" / "journey.yaml"
PLACE = Place(site="test-site", endpoint="ward-3-pc", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
PASSWORD = "canary-3e9d"
SLOW_SECONDS = 0.4
# Every note waits for the database alone: it is written by a trigger that takes its time.
_SLOW = f"""
CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_sleep({SLOW_SECONDS}); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION take_time();
"""
Found = TypeVar("Found")


def free_port() -> int:
    """Give a port of loopback nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def token(config: Path) -> str:
    """Enrol an agent with the collector of a configuration, running or not."""
    now = datetime.now(UTC)
    with opened(load(config).collector) as (_store, registry):
        given = registry.enrol(registry.invite("ward-3-pc", scope=Scope.AGENT, now=now), now=now)
    assert given is not None
    return given.token


def eventually(look: Callable[[], Found | None], seconds: float = 20.0) -> Found:
    """Ask again until there is an answer; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing came within {seconds} s")


def listens(port: int) -> bool | None:
    """Say True when something takes connections, else nothing."""
    with socket.socket() as probe:
        return True if probe.connect_ex(("127.0.0.1", port)) == 0 else None


@contextmanager
def slow_database(folder: Path) -> Iterator[str]:
    """Run PostgreSQL with casebook's tables, in which a note takes SLOW_SECONDS; give its connection string."""
    sockets, programs = folder / "s", Programs(folder)
    sockets.mkdir()
    try:
        postgres.create([], folder / "pg", folder / "wal")
        programs.start("postgres", postgres.server(folder / "pg", sockets), stop_signal=signal.SIGINT)
        postgres.wait_and_create_database(sockets)
        conninfo = postgres.conninfo(sockets)
        content.fill(conninfo, {"probe": PASSWORD}, cases=200)
        with psycopg.connect(conninfo) as connection:
            connection.execute(_SLOW)
        yield conninfo
    finally:
        programs.stop_all()


@contextmanager
def casebook(folder: Path, conninfo: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Serve casebook; give its URL. It sends its spans in one body as it ends, to where ``variables`` say."""
    programs, port, index = Programs(folder), free_port(), folder / "index"
    documents.build(index, [["smith"]] * documents.TEAMS)
    command = [*module("casebook"), "--spans", "--listen", f"127.0.0.1:{port}", "--documents", str(index)]
    settled = {"CASEBOOK_SECRET": "a secret", "OTEL_TRACES_SAMPLER": "parentbased_always_off"}
    environment = settled | {"OTEL_BSP_SCHEDULE_DELAY": "60000", **variables}
    try:
        started = programs.start("casebook", [*command, "--database", conninfo], told=True, environment=environment)
        started.wait_ready()
        yield f"http://127.0.0.1:{port}"
    finally:
        programs.stop_all()


@contextmanager
def rotel(folder: Path, url: str, bearer: str) -> Iterator[str]:
    """Run rotel, an OpenTelemetry collector, which passes everything on to ``url``; give its own."""
    found = find_spec("rotel")
    assert found is not None
    assert found.origin is not None
    http, grpc = free_port(), free_port()
    variables = {
        "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{http}",
        "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{grpc}",
        "ROTEL_PID_FILE": str(folder / "pid"),
        "ROTEL_LOG_FILE": str(folder / "rotel-own.log"),
        "ROTEL_EXPORTER": "otlp",
        "ROTEL_OTLP_EXPORTER_ENDPOINT": url,
        "ROTEL_OTLP_EXPORTER_PROTOCOL": "http",
        "ROTEL_OTLP_EXPORTER_CUSTOM_HEADERS": f"Authorization=Bearer {bearer}",
    }
    programs = Programs(folder)
    try:
        programs.start("rotel", [str(Path(found.origin).with_name("rotel-agent")), "start"], environment=variables)
        eventually(lambda: listens(http))
        yield f"http://127.0.0.1:{http}"
    finally:
        programs.stop_all()


def walked(url: str) -> Run:
    """Walk the lab's journey once."""
    return walk(
        journeys.load(JOURNEY),
        PLUGIN.configured({"proxy": "none"}),
        PLACE,
        slot=datetime.now(UTC),
        secrets={"username": "probe", "password": PASSWORD},
        variables={"base_url": url},
    )


def step_with_spans(config: Path, run: Run, step: str) -> Mapping[str, object]:
    """Wait until spans have joined a step of a run, and give what is known of it then."""
    with opened(load(config).collector) as (store, registry):

        def look() -> Mapping[str, object] | None:
            story = facts.find(store, registry, run.run_id, datetime.now(UTC))
            assert story is not None
            (found,) = (one for one in story.steps if one["step"] == step)
            return found if found.get("spans") else None

        return eventually(look)


def timing_of(run: Run, step: str) -> StepTiming:
    """Give a step as the driver saw it."""
    return next(one for one in run.steps if one.step == step)
