"""A real Prometheus that scrapes a real node_exporter, and counters whose growth is known."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, SourceError
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.plugin import load
from collector.source import Source
from tests.peers.monitoring import ARRAYS, WINDOW, free_port

pytestmark = pytest.mark.integration


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
