"""How much each source and each importer reads in a second, and what processor time a thousand rows cost.

What is real says so: Debian's node_exporter and Prometheus, PostgreSQL of the lab. The rest is generated, or comes from
a double (Citrix, SQL Server; only in a checkout). Servers run beside it in processes of their own: seconds are those of
both, processor time is the reader's alone. Nothing is stored. What is not installed is left out, and named.

usage: python -m deploy.bench.sources [--seconds 2] [--json]
"""

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from collector import importers, sources
from collector.importer import Asked, Importer
from collector.model.errors import PluginError, SourceError
from collector.model.facts import Facts
from collector.plugin import load
from collector.source import OpenSource, Source
from deploy.bench import source_input as made
from deploy.lab import postgres

_WAIT = 30.0
_PORTS = 500
_SESSIONS = 2_000
_ASKED = Asked(site="bench", component="bench", endpoint="bench", zone=ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row of the table. A run with its steps counts as those steps."""

    name: str
    input: str
    rows: int
    rows_per_second: float
    cpu_seconds_per_1000: float


class Absent(Exception):
    """Something it needs is not installed."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is read, at least once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    load_before = os.getloadavg()[0]
    results, absent = [], []
    for measure in (_node_exporter, _switch, _prometheus, _postgresql, _citrix, _sqlserver, *_importers()):
        with tempfile.TemporaryDirectory() as folder:
            try:
                results.append(measure(Path(folder), asked.seconds))
            except (Absent, PluginError) as error:
                absent.append(str(error))
    if asked.json:
        told = {"load": load_before, "results": [asdict(result) for result in results], "absent": absent}
        print(json.dumps(told))  # noqa: T201
        return
    print(f"load {load_before:.1f} before, {os.getloadavg()[0]:.1f} after")  # noqa: T201
    print(f"{'source or importer':22} {'input':44} {'rows':>8} {'rows/s':>8} {'CPU s/1,000 rows':>17}")  # noqa: T201
    for row in results:
        numbers = f"{row.rows:>8} {row.rows_per_second:>8.0f} {row.cpu_seconds_per_1000:>17.4f}"
        print(f"{row.name:22} {row.input:44} {numbers}")  # noqa: T201
    for what in absent:
        print(f"left out: {what}")  # noqa: T201


def _timed(name: str, described: str, read: Callable[[], Facts], seconds: float) -> Result:
    """Read again and again; the first time is not counted where there is a second one."""
    facts, rows, began, cpu = read(), 0, time.perf_counter(), time.process_time()
    while not rows or time.perf_counter() - began < seconds:
        facts = read()
        rows += len(facts.samples) + len(facts.sessions) + sum(len(run.steps) for run in facts.runs)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return Result(
        name=name,
        input=described,
        rows=rows,
        rows_per_second=rows / took,
        cpu_seconds_per_1000=used / rows * 1000,
    )


def _opened(kind: str, **settings: Any) -> OpenSource:  # noqa: ANN401  as they stand in a file
    return load(sources, kind, Source).open(site="bench", component="bench", settings=settings)


def _node_exporter(folder: Path, seconds: float) -> Result:
    port = _free_port()
    with _program(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"], folder):
        source = _opened("scrape", url=f"http://127.0.0.1:{port}/metrics", mappings=["node_exporter"])
        _until(lambda: bool(source.read()))
        return _timed("scrape", "node_exporter, real", source.read, seconds)


def _switch(_folder: Path, seconds: float) -> Result:
    with _served(_serve_switch) as url:
        source = _opened("scrape", url=url, mappings=["snmp_if_mib"])
        return _timed("scrape", f"switch of {_PORTS} ports, generated", source.read, seconds)


def _prometheus(folder: Path, seconds: float) -> Result:
    end = datetime.fromtimestamp(time.time() // 60 * 60, UTC) - timedelta(hours=3)
    begin, port = end - timedelta(hours=1), _free_port()
    _needed("prometheus")
    (folder / "past.txt").write_text(made.windows_past(40, begin.timestamp(), end.timestamp()))
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"{folder}/past.txt", f"{folder}/data"]
    subprocess.run(blocks, check=True, capture_output=True, timeout=120)
    (folder / "prometheus.yml").write_text("global: {}\n")
    flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with _program(["prometheus", *flags, f"--web.listen-address=127.0.0.1:{port}"], folder):
        _until(lambda: httpx2.get(f"http://127.0.0.1:{port}/-/ready").is_success)
        source: Any = _opened("prometheus", url=f"http://127.0.0.1:{port}", mappings=["windows_exporter"])
        what = "Prometheus, real; an hour of 40 hosts, generated"
        return _timed("prometheus", what, lambda: Facts(samples=tuple(source.between(begin, end))), seconds)


def _postgresql(folder: Path, seconds: float) -> Result:
    postgres.create([], folder / "data", folder / "wal")
    preloaded = ["-c", "shared_preload_libraries=pg_stat_statements"]
    with _program([*postgres.server(folder / "data", folder), *preloaded], folder):
        postgres.wait_and_create_database(folder)
        source = _opened("postgresql", dsn=postgres.conninfo(folder), statements=0)
        try:
            return _timed("postgresql", "PostgreSQL, real, idle", source.read, seconds)
        finally:
            source.close()


def _citrix(_folder: Path, seconds: float) -> Result:
    with _served(_serve_monitor) as url:
        os.environ["WHICHLAYER_BENCH"] = "reader"
        at = datetime(2026, 11, 27, 9, tzinfo=UTC)

        def read() -> Facts:
            """Read everything once: each time by a source that knows nothing yet."""
            given = {"user": r"CORP\watcher", "password": "env:WHICHLAYER_BENCH", "since": 7200}
            source: Any = _opened("citrix", url=url, **given)
            source.clock = lambda: at
            facts: Facts = source.read()
            source.close()
            return facts

        return _timed("citrix", f"{_SESSIONS} sessions; a double, NTLM", read, seconds)


def _sqlserver(_folder: Path, seconds: float) -> Result:
    try:
        from tests.doubles import sqlserver as double  # noqa: PLC0415  only in a checkout
    except ModuleNotFoundError:
        raise Absent("the double of SQL Server: not in a checkout") from None
    os.environ["WHICHLAYER_BENCH"] = "reader"
    source: Any = _opened("sqlserver", host="none", user="reader", password="env:WHICHLAYER_BENCH")  # noqa: S106
    source.connect = lambda **_: double.Connection()
    return _timed("sqlserver", "rows of a double, no server", source.read, seconds)


def _importers() -> Iterator[Callable[[Path, float], Result]]:
    yield lambda folder, seconds: _imported("perfmon", folder / "log.csv", made.perfmon, 5000, seconds)
    yield lambda folder, seconds: _imported("table", folder / "array.csv", made.array_report, 5000, seconds)
    yield lambda folder, seconds: _imported("table", folder / "array.xlsx", made.array_report, 5000, seconds)
    yield lambda folder, seconds: _imported("junit", folder / "report.xml", made.junit, 1000, seconds)
    yield lambda folder, seconds: _imported("k6", folder / "points.json", made.k6, 3000, seconds)
    yield lambda _folder, seconds: _recorded("robot", Path("tests/recordings/robot-7.xml"), seconds)


def _imported(kind: str, path: Path, write: Callable[[Path, int], None], rows: int, seconds: float) -> Result:
    write(path, rows)
    asked = _ASKED if kind != "table" else Asked(site="bench", mapping=str(path.with_name("array.yaml")))
    importer = load(importers, kind, Importer)
    size = f"{path.stat().st_size / 1024:.0f} KiB"
    return _timed(kind, f"{path.suffix[1:]} of {size}, generated", lambda: importer.read(path, asked).facts, seconds)


def _recorded(kind: str, path: Path, seconds: float) -> Result:
    if not path.exists():
        raise Absent(f"{path}: not in a checkout")
    importer = load(importers, kind, Importer)
    return _timed(kind, "output.xml of Robot Framework 7, real", lambda: importer.read(path, _ASKED).facts, seconds)


def _serve_switch(parent: Connection) -> None:
    readings = iter(range(1, sys.maxsize))

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = made.switch_page(_PORTS, next(readings))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Switch)
    parent.send(f"http://127.0.0.1:{server.server_port}/snmp")
    server.serve_forever()


def _serve_monitor(parent: Connection) -> None:
    try:
        from tests.doubles import monitor, monitor_rows  # noqa: PLC0415  only in a checkout
    except ModuleNotFoundError:
        parent.send(None)
        return
    with tempfile.NamedTemporaryFile("w") as users, monitor.serving() as served:
        users.write("CORP:watcher:reader\n")
        users.flush()
        os.environ["NTLM_USER_FILE"] = users.name
        served.sets = monitor_rows.places() | {
            "Sessions": [monitor_rows.session(number) for number in range(_SESSIONS)],
            "Connections": [monitor_rows.connection(number) for number in range(_SESSIONS)],
            "SessionMetrics": [
                monitor_rows.metric(number, number, collected=number / 10, modified=60) for number in range(_SESSIONS)
            ],
        }
        served.page = 1000
        parent.send(served.url + monitor.ON_PREMISES)
        parent.poll(None)  # until it is ended, or the reader is gone


@contextmanager
def _served(serve: Callable[[Connection], None]) -> Iterator[str]:
    """Serve from a process of its own, whose time is not the reader's; give the address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        url = here.recv() if here.poll(_WAIT) else None
        if url is None:
            raise Absent("the double of Citrix Monitor: not in a checkout")
        yield str(url)
    finally:
        process.terminate()
        process.join()


def _needed(name: str) -> None:
    if shutil.which(name) is None:
        raise Absent(f"{name} is not installed")


@contextmanager
def _program(command: list[str], folder: Path) -> Iterator[None]:
    _needed(command[0])
    with ExitStack() as stack:
        log = stack.enter_context((folder / "program.log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        yield


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT
    while time.monotonic() < deadline:
        with suppress(SourceError, httpx2.HTTPError):
            if ready():
                return
        time.sleep(0.1)
    raise RuntimeError("it did not start")


if __name__ == "__main__":
    main()
