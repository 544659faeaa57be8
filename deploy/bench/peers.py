"""The same remote-write bodies into whichlayer, Prometheus and VictoriaMetrics; OTLP and Arrow IPC into whichlayer.

Each gets its senders on this machine and bodies made beforehand; afterwards each is asked how many rows it holds.
whichlayer has every body on the disk before it answers. While it takes bodies, its first page and /healthz are asked
for again and again, by another process: milliseconds to the first byte, half and 99 of 100 below. µs/row is the
processor's time of the receiver, its pages and all: on a busy machine it says more than rows/s.

usage: python -m deploy.bench.peers [--rows 500,5000] [--total 1000000] [--senders 2] [--only whichlayer]
"""

import argparse
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import psutil

from collector.store import Slice
from deploy.bench import ingest, peer_bodies
from deploy.bench.ingest import tokens, url_of
from deploy.bench.onlooker import looking
from whichlayer.data import opened
from whichlayer.owner import OWNER
from whichlayer.settings import load

_SNAPPY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
_GZIP = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
_ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}
_COUNT = "sum(count_over_time(bench_queue[3h]))"
_PAGES = ("/", "/healthz")
_HEAD = "receiver                   rows/body    rows/s µs/row    stored  load           / ms    /healthz ms"
Bodies = Sequence[Sequence[bytes]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="500,5000", help="rows in one body")
    parser.add_argument("--total", type=int, default=1_000_000, help="rows each receiver gets")
    parser.add_argument("--senders", type=int, default=2, help="how many send at once")
    parser.add_argument("--only", default="", help="receivers and doors whose name holds this")
    asked = parser.parse_args()
    print(_HEAD)  # noqa: T201
    for rows in map(int, asked.rows.split(",")):
        each = asked.total // rows // asked.senders
        bodies = [peer_bodies.remote_write(sender, rows, each) for sender in range(asked.senders)]
        for name, receiver in {"prometheus": _prometheus, "victoria-metrics": _victoria_metrics}.items():
            if asked.only in name:
                with tempfile.TemporaryDirectory() as folder:
                    receiver(Path(folder), rows, bodies)
        for name, (path, kind, make) in _DOORS.items():
            if asked.only in name:
                made = bodies if make is None else [make(sender, rows, each) for sender in range(asked.senders)]
                with tempfile.TemporaryDirectory() as folder:
                    _whichlayer(Path(folder), name, path, kind, rows, made)


_DOORS: dict[str, tuple[str, dict[str, str], Callable[[int, int, int], Sequence[bytes]] | None]] = {
    "whichlayer, remote write": ("/api/v1/write", _SNAPPY, None),  # the bodies of its peers
    "whichlayer, OTLP": ("/v1/metrics", _GZIP, peer_bodies.otlp),
    "whichlayer, Arrow IPC": ("/v1/rows/samples?sequence=", _ARROW, peer_bodies.arrow),
}


def _whichlayer(folder: Path, name: str, path: str, kind: dict[str, str], rows: int, bodies: Bodies) -> None:
    config = folder / "whichlayer.yaml"
    config.write_text("site: bench\ncollector: {data: data, port: 0}\nanalysis: {interval_seconds: 3600}\n")
    settings = load(config)
    with _running([sys.executable, "-m", "whichlayer", "up", "--config", str(config)], folder) as process:
        url = url_of(settings.collector.data / OWNER)
        given = [kind | {"Authorization": f"Bearer {token}"} for token in tokens(settings, len(bodies))]
        ever = Slice(start=datetime.now(UTC) - timedelta(days=1), end=datetime.now(UTC) + timedelta(days=1))
        shown = {"Authorization": given[0]["Authorization"], "Content-Type": "application/json"}
        httpx2.post(f"{url}/v1/runs", content=ingest.runs(500)(0, 2**40), headers=shown, timeout=60).raise_for_status()
        httpx2.get(url, timeout=60).raise_for_status()
        with looking(url, *_PAGES) as seen:
            took = _send(url, path, given, bodies, process)
        with opened(settings.collector) as (store, _registry):
            held = sum(store.counts("samples", ever).column("rows").to_pylist())
        _print(name, rows, took, bodies, held, [seen[page] for page in _PAGES])


def _prometheus(folder: Path, rows: int, bodies: Bodies) -> None:
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = _free_port()
    flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    flags += [f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"]
    _peer(["prometheus", *flags], port, folder, rows, bodies, flush=lambda _: None)


def _victoria_metrics(folder: Path, rows: int, bodies: Bodies) -> None:
    port = _free_port()
    flags = [f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}"]
    flags += ["-search.latencyOffset=0s"]  # count the last seconds too
    _peer(["victoria-metrics", *flags], port, folder, rows, bodies, flush=_force)


def _peer(
    command: list[str], port: int, folder: Path, rows: int, bodies: Bodies, *, flush: Callable[[str], None]
) -> None:
    if shutil.which(command[0]) is None:
        print(f"{command[0]:34} skipped: it is not installed")  # noqa: T201
        return
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder) as process:
        _wait(f"{url}/-/healthy" if command[0] == "prometheus" else f"{url}/health")
        took = _send(url, "/api/v1/write", [_SNAPPY] * len(bodies), bodies, process)
        flush(url)
        result = httpx2.get(f"{url}/api/v1/query", params={"query": _COUNT}, timeout=60).json()["data"]["result"]
        _print(command[0], rows, took, bodies, int(float(result[0]["value"][1])) if result else 0)


def _force(url: str) -> None:
    httpx2.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()


def _send(
    url: str, path: str, headers: Sequence[dict[str, str]], bodies: Bodies, process: psutil.Process
) -> tuple[float, float]:
    """Send all bodies; give the seconds it took after the first of each sender, and the processor seconds of all."""
    ready = threading.Barrier(len(bodies) + 1)

    def send(sender: int) -> None:
        address = url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=120)
        for number, body in enumerate(bodies[sender]):
            if number == 1:
                ready.wait()
                connection.close()  # it may have been idle for too long
            connection.request("POST", f"{path}{number}" if path.endswith("=") else path, body, headers[sender])
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{url}{path} answered {answer.status}: {text[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(len(bodies))]
    for thread in threads:
        thread.start()
    ready.wait()
    began, before = time.perf_counter(), _processor_seconds(process)
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, _processor_seconds(process) - before


def _processor_seconds(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[psutil.Process]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _print(
    name: str, rows: int, took: tuple[float, float], bodies: Bodies, stored: int, seen: Sequence[list[float]] = ()
) -> None:
    sent = sum(len(one) for one in bodies) * rows
    timed = sent - len(bodies) * rows
    told = str(stored) if stored == sent else f"{stored} of {sent}"
    speed = f"{timed / took[0]:>9.0f} {took[1] / timed * 1e6:>6.1f}"
    looks = " ".join(f"{_percentile(one, 0.5):>7.0f} {_percentile(one, 0.99):>6.0f}" for one in seen)
    print(f"{name:26} {rows:>9} {speed} {told:>9} {os.getloadavg()[0]:>5.1f} {looks}")  # noqa: T201


def _percentile(milliseconds: list[float], share: float) -> float:
    return sorted(milliseconds)[min(int(len(milliseconds) * share), len(milliseconds) - 1)]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
