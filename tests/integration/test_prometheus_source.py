"""A real Prometheus that scrapes a real node_exporter, and counters whose growth is known."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from collector import sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.plugin import load
from collector.source import Source

pytestmark = pytest.mark.integration
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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prometheus beside node_exporter and an array of ours, ten seconds old; gives its address."""
    absent = [name for name in ("prometheus", "prometheus-node-exporter") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"{absent[0]} is not installed")
    folder, node, own = tmp_path_factory.mktemp("prometheus"), free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(array(own))
        config = folder / "prometheus.yml"
        targets = "".join(
            f"  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
            for job, port in (("node", node), ("array", own))
        )
        config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{targets}")
        port = free_port()
        flags = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data"]
        flags.append(f"--web.listen-address=127.0.0.1:{port}")
        commands = [["prometheus", *flags]]
        commands.append(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}"])
        for command in commands:
            log = stack.enter_context((folder / f"{command[0]}.log").open("wb"))
            process = subprocess.Popen(command, stdout=log, stderr=log)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        url = f"http://127.0.0.1:{port}"
        wait_for_points(url)
        yield url


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


def wait_for_points(url: str) -> None:
    """Wait until rates of all targets can be asked for."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            answer = httpx2.get(f"{url}/api/v1/query", params={"query": f"sum(count_over_time(up[{WINDOW:g}s]))"})
            result = answer.json()["data"]["result"]
            if result and float(result[0]["value"][1]) >= 8:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("Prometheus has not scraped its targets")


def opened(url: str, *mappings: str, **more: Any) -> Any:
    plugin = load(sources, "prometheus", Source)
    settings = {"url": url, "mappings": mappings, "step": 1, "window": WINDOW, "since": 5} | more
    return plugin.open(site="s", component="prometheus", settings=settings)


@pytest.fixture
def arrays(tmp_path: Path) -> str:
    path = tmp_path / "arrays.yaml"
    path.write_text(ARRAYS)
    return str(path)


def of(samples: list[Sample], metric: str) -> list[Sample]:
    return [sample for sample in samples if sample.metric == metric]


def test_a_host_is_read_by_its_exporter(prometheus: str) -> None:
    source = opened(prometheus, "node_exporter", components={"127.0.0.1": "app-1"})
    found = list(source.read().samples)
    metrics = {sample.metric for sample in found}
    assert {"system.memory.available", "system.cpu.utilization", "system.cpu.steal"} <= metrics
    assert {sample.component for sample in of(found, "system.memory.available")} == {"app-1"}
    assert all(0 <= sample.value <= 1.01 for sample in of(found, "system.cpu.utilization"))
    assert all(sample.period_seconds == WINDOW for sample in of(found, "system.cpu.utilization"))
    assert all(sample.layer is CATALOGUE[sample.metric].layer for sample in found)
    source.close()


def test_four_unit_systems_and_a_ratio_are_the_same_seconds(prometheus: str, arrays: str) -> None:
    source = opened(prometheus, arrays)
    found = list(source.read().samples)
    latencies = of(found, "storage.lun.read.latency")
    assert {round(sample.value, 9) for sample in latencies} == {0.0025}
    assert {sample.component for sample in latencies} == {"case-db"}
    assert {sample.period_seconds for sample in latencies} == {None, 300.0}  # HPE's is a mean of five minutes
    assert of(found, "storage.host.read.latency")
    assert all(sample.value == pytest.approx(0.0025) for sample in of(found, "storage.host.read.latency"))
    assert of(found, "storage.lun.operations")[-1].value == pytest.approx(40, rel=0.3)
    source.close()


def test_each_step_is_read_once_and_an_outage_is_made_up_for(prometheus: str, arrays: str) -> None:
    source, now = opened(prometheus, arrays), datetime.now(UTC)
    source.clock = lambda: now
    first = list(source.read().samples)
    assert source.read() == Facts()
    now += timedelta(seconds=3)
    time.sleep(3)
    again = list(source.read().samples)
    assert {sample.at for sample in first}.isdisjoint({sample.at for sample in again})
    assert len({sample.at for sample in again}) == 3
    source.close()


def test_one_that_is_gone_is_a_source_error_and_the_time_is_read_later(prometheus: str, arrays: str) -> None:
    gone = opened(f"http://127.0.0.1:{free_port()}", arrays)
    with pytest.raises(SourceError, match="does not answer") as caught:
        gone.read()
    assert not caught.value.permanent
    gone.close()


def test_what_does_not_speak_its_language_is_told(prometheus: str, arrays: str) -> None:
    source = opened(prometheus + "/graph", arrays)
    with pytest.raises(SourceError, match="does not answer as Prometheus"):
        source.read()
    source.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mappings": ["no_such_product"]}, "one of dell_powerstore"),
        ({"mappings": ["node_exporter"], "match": {'a"} or up{b': "x"}}, "no name of a metric or label"),
        ({"mappings": []}, "mappings"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        opened("http://127.0.0.1:9", **settings)


def test_a_value_of_a_label_cannot_leave_its_quotes(prometheus: str) -> None:
    source = opened(prometheus, "node_exporter", match={"job": 'x"} or up{job="node'})
    assert source.read() == Facts()
    source.close()
