"""What a site has already: a Prometheus with a past, which scrapes a node_exporter and an array and probes a page."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from tests.peers.past import past

TIMEOUT = 0.5  # of real probes: one second of Prometheus, less what blackbox_exporter keeps for itself
WINDOW = 4.0
ARRAYS = """
product: arrays
component: [volume]
rows:
  - {name: lun_avg_read_latency, metric: storage.lun.read.latency, unit: us}
  - {name: pure_usec, where: {dimension: usec_per_read_op}, metric: storage.lun.read.latency, unit: us}
  - {name: hpe_seconds, metric: storage.lun.read.latency, unit: s, period: 5 min}
  - {name: dell_milliseconds, metric: storage.lun.read.latency, unit: ms}
  - {name: reading_seconds_total, how: ratio, per: reads_total, metric: storage.host.read.latency, unit: s}
  - {name: reads_total, how: rate, metric: storage.lun.operations, unit: "1"}
"""
_PROGRAMS = ("prometheus", "promtool", "prometheus-blackbox-exporter", "prometheus-node-exporter")
_CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{node}']}}]}}
  - {{job_name: array, static_configs: [{{targets: ['127.0.0.1:{array}']}}]}}
  - job_name: blackbox
    scrape_timeout: 1s
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs: [{{targets: ["{site}/", "{site}/broken", "{site}/hangs"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{blackbox}"}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Addresses of Prometheus, of the pages of two of its exporters, and of the site it probes."""

    prometheus: str
    node: str
    array: str
    site: str


class Site(BaseHTTPRequestHandler):
    """Answers after 50 ms, with an error, or not in time."""

    def do_GET(self) -> None:
        time.sleep(2 * TIMEOUT if self.path == "/hangs" else 0.05)
        self.send_response(500 if self.path == "/broken" else 401 if self.path.startswith("/api") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def program(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a program beside the test; what it says goes to a file of its name in ``folder``."""
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def probed_site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def monitoring(folder: Path) -> Iterator[Monitoring]:
    """Start all of it; ready when rates can be asked for. Skips the test when a program is not installed."""
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    if absent:
        pytest.skip(f"{absent[0]} is not installed")
    ports = {name: free_port() for name in ("prometheus", "blackbox", "node", "array")}
    at = {name: f"--web.listen-address=127.0.0.1:{port}" for name, port in ports.items()}
    (folder / "past.txt").write_text(past())
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "past.txt"), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    (folder / "blackbox.yml").write_text("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}")
    with ExitStack() as stack:
        site = stack.enter_context(probed_site())
        stack.enter_context(array(ports["array"]))
        (folder / "prometheus.yml").write_text(_CONFIG.format(site=site, **ports))
        flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", at["prometheus"]]
        for command in (
            ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml", at["blackbox"]],
            ["prometheus-node-exporter", at["node"]],
            ["prometheus", *flags],
        ):
            stack.enter_context(program(command, folder))
        told = Monitoring(
            prometheus=f"http://127.0.0.1:{ports['prometheus']}",
            node=f"http://127.0.0.1:{ports['node']}/metrics",
            array=f"http://127.0.0.1:{ports['array']}/metrics",
            site=site,
        )
        wait(told.prometheus, "min(count_over_time(probe_success[1m]))", 3)
        wait(told.prometheus, f'sum(count_over_time(up{{job=~"node|array"}}[{WINDOW:g}s]))', 8)
        yield told


def wait(url: str, query: str, least: float) -> None:
    """Wait until a query gives so much."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            answer = httpx2.get(f"{url}/api/v1/query", params={"query": query})
            result = answer.raise_for_status().json()["data"]["result"]  # 503 while it starts
            if result and float(result[0]["value"][1]) >= least:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"Prometheus does not give {query}")


class array:  # noqa: N801  a context
    """An exporter whose reads take 2.5 ms each, 40 of them a second."""

    def __init__(self, port: int) -> None:
        registry = CollectorRegistry()
        gauges = {"lun_avg_read_latency": 2500.0, "hpe_seconds": 0.0025, "dell_milliseconds": 2.5}
        for name, value in gauges.items():
            Gauge(name, name, ["volume"], registry=registry).labels("Case DB").set(value)
        pure = Gauge("pure_usec", "pure", ["volume", "dimension"], registry=registry)
        pure.labels("Case DB", "usec_per_read_op").set(2500.0)
        pure.labels("Case DB", "usec_per_write_op").set(99999.0)
        self._reads = Counter("reads", "reads", ["volume"], registry=registry).labels("Case DB")
        self._seconds = Counter("reading_seconds", "reading", ["volume"], registry=registry).labels("Case DB")
        self._server, self._thread = start_http_server(port, "127.0.0.1", registry)
        self._ended = threading.Event()
        self._work = threading.Thread(target=self._run)

    def _run(self) -> None:
        began, done = time.monotonic(), 0
        while not self._ended.wait(0.05):
            now = int((time.monotonic() - began) * 40)
            self._reads.inc(now - done)
            self._seconds.inc((now - done) * 0.0025)
            done = now

    def __enter__(self) -> None:
        self._work.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._work.join()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
