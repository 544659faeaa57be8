"""The same remote-write bodies into whichlayer, Prometheus and VictoriaMetrics, and Arrow IPC into whichlayer.

Each gets two senders on this machine and bodies made beforehand; afterwards each is asked how many rows it holds.
whichlayer has every body on the disk before it answers. While it takes bodies, its page and /healthz are asked.

usage: python -m deploy.bench.peers [--rows 500,5000] [--total 300000]
"""

import argparse
import http.client
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cramjam
import httpx2
import pyarrow as pa

from collector.api.remote_write_messages import TimeSeries, WriteRequest
from collector.store import Slice
from collector.stores._batch import to_ipc
from deploy.bench.ingest import tokens, url_of
from whichlayer.data import opened
from whichlayer.owner import OWNER
from whichlayer.settings import load

_SENDERS = 2
_SNAPPY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
_ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}
_COUNT = "sum(count_over_time(bench_queue[3h]))"
_HEAD = f"{'receiver':34} {'rows/body':>9} {'rows/s':>9} {'stored':>9}"
Bodies = Sequence[Sequence[bytes]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default="500,5000", help="rows in one body")
    parser.add_argument("--total", type=int, default=300_000, help="rows each receiver gets")
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.2f}\n{_HEAD}")  # noqa: T201
    for rows in map(int, asked.rows.split(",")):
        each = asked.total // rows // _SENDERS
        bodies = [_written(sender, rows, each) for sender in range(_SENDERS)]
        for receiver in (_whichlayer, _prometheus, _victoria_metrics):
            with tempfile.TemporaryDirectory() as folder:
                receiver(Path(folder), rows, bodies)


def _whichlayer(folder: Path, rows: int, bodies: Bodies) -> None:
    config = folder / "whichlayer.yaml"
    config.write_text("site: bench\ncollector: {data: data, port: 0}\nanalysis: {interval_seconds: 3600}\n")
    settings = load(config)
    with _running([sys.executable, "-m", "whichlayer", "up", "--config", str(config)], folder):
        url = url_of(settings.collector.data / OWNER)
        given = [{"Authorization": f"Bearer {token}"} for token in tokens(settings, _SENDERS)]
        ever = Slice(start=datetime.now(UTC) - timedelta(days=1), end=datetime.now(UTC) + timedelta(days=1))
        arrow = [[_columns(rows, sender, number) for number in range(len(bodies[0]))] for sender in range(_SENDERS)]
        doors: list[tuple[str, str, dict[str, str], Bodies]] = [
            ("remote write", "/api/v1/write", _SNAPPY, bodies),
            ("Arrow IPC", "/v1/rows/samples?sequence=", _ARROW, arrow),
        ]
        httpx2.post(f"{url}/api/v1/write", content=bytes(cramjam.snappy.compress_raw(b"")), headers=given[0] | _SNAPPY)
        before = 0
        for name, path, kind, what in doors:
            with _looked_at(url) as looks:
                took = _send(url, path, [kind | one for one in given], what)
            with opened(settings.collector) as (store, _registry):
                held = store.scan("samples", ever, columns=["at"]).num_rows
            _print(f"whichlayer, {name}", rows, took, what, held - before)
            before = held
            seen = sorted(looks)
            print(f"    its page meanwhile: p50 {seen[len(seen) // 2]:.0f} ms, most {seen[-1]:.0f} ms")  # noqa: T201


def _prometheus(folder: Path, rows: int, bodies: Bodies) -> None:
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = _free_port()
    flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    flags += [f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"]
    _peer(["prometheus", *flags], port, folder, rows, bodies, flush=lambda _: None)


def _victoria_metrics(folder: Path, rows: int, bodies: Bodies) -> None:
    port = _free_port()
    flags = [f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}"]
    _peer(["victoria-metrics", *flags], port, folder, rows, bodies, flush=_force)


def _peer(
    command: list[str], port: int, folder: Path, rows: int, bodies: Bodies, *, flush: Callable[[str], None]
) -> None:
    if shutil.which(command[0]) is None:
        print(f"{command[0]:34} skipped: it is not installed")  # noqa: T201
        return
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder):
        _wait(f"{url}/-/healthy" if command[0] == "prometheus" else f"{url}/health")
        took = _send(url, "/api/v1/write", [_SNAPPY] * _SENDERS, bodies)
        flush(url)
        result = httpx2.get(f"{url}/api/v1/query", params={"query": _COUNT}, timeout=60).json()["data"]["result"]
        _print(command[0], rows, took, bodies, int(float(result[0]["value"][1])) if result else 0)


def _force(url: str) -> None:
    httpx2.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()


def _send(url: str, path: str, headers: Sequence[dict[str, str]], bodies: Bodies) -> float:
    def send(sender: int) -> None:
        address = url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=120)
        for number, body in enumerate(bodies[sender]):
            connection.request("POST", f"{path}{number}" if path.endswith("=") else path, body, headers[sender])
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{url}{path} answered {answer.status}: {text[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(_SENDERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


@contextmanager
def _looked_at(url: str) -> Iterator[list[float]]:
    """Ask for the page again and again, as a person who watches would; gives milliseconds."""
    ended = threading.Event()
    taken: list[float] = []

    def look() -> None:
        with httpx2.Client(timeout=60) as client:
            while not ended.wait(0.05) or not taken:
                began = time.perf_counter()
                client.get(url).raise_for_status()
                taken.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield taken
    finally:
        ended.set()
        thread.join()


def _written(sender: int, rows: int, count: int) -> list[bytes]:
    """Make bodies of ``rows`` series with one sample each, a second apart, the last one now."""
    labels = {"__name__": "bench_queue", "instance": f"app{sender}:9100", "job": "bench"}
    labels |= {"region": "north", "whichlayer_layer": "application"}
    heads = [
        TimeSeries(labels=[{"name": n, "value": v} for n, v in (labels | {"queue": str(one)}).items()])
        for one in range(rows)
    ]
    for head in heads:
        head.labels.sort(key=lambda label: label.name)
    known = [head.SerializeToString() for head in heads]
    now = int(time.time()) - count
    bodies = []
    for number in range(count):
        at = TimeSeries(samples=[{"timestamp": (now + number) * 1000}]).SerializeToString()[-7:]
        tails = [b"\x12\x10\x09" + struct.pack("<d", one + number + 0.5) + at for one in range(rows)]
        request = WriteRequest(timeseries=[head + tail for head, tail in zip(known, tails, strict=True)])
        bodies.append(bytes(cramjam.snappy.compress_raw(request.SerializeToString())))
    return bodies


def _columns(rows: int, sender: int, number: int) -> bytes:
    at = pa.array([int(time.time() * 1e6) - number * 1_000_000] * rows, pa.timestamp("us"))
    words = {"site": "bench", "component": f"app{sender}", "layer": "application", "metric": "bench_arrow"}
    columns = {name: pa.array([word] * rows).dictionary_encode() for name, word in words.items()}
    labels = [f'{{"queue":"{one}"}}' for one in range(rows)]
    values = [one + number + 0.5 for one in range(rows)]
    return to_ipc(pa.table({"at": at, "value": values, "labels": labels, **columns}))


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
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


def _print(name: str, rows: int, took: float, bodies: Bodies, stored: int) -> None:
    sent = sum(len(one) for one in bodies) * rows
    told = str(stored) if stored == sent else f"{stored} of {sent}"
    print(f"{name:34} {rows:>9} {sent / took:>9.0f} {told:>9}")  # noqa: T201


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
