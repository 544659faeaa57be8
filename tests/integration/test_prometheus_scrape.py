"""Exporters that we scrape by ourselves, held against a real Prometheus that scrapes the same."""

import time
from pathlib import Path
from typing import Any

import pytest

from collector import sources
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError, SourceError
from collector.model.facts import Facts
from collector.plugin import load
from collector.source import Source
from tests.peers.monitoring import ARRAYS, Monitoring, array, free_port

pytestmark = pytest.mark.integration


def opened(url: str, *mappings: str, **more: Any) -> Any:
    settings = {"url": url, "mappings": mappings, **more}
    return load(sources, "scrape", Source).open(site="s", component="app-1", settings=settings)


@pytest.fixture
def arrays(tmp_path: Path) -> str:
    path = tmp_path / "arrays.yaml"
    path.write_text(ARRAYS)
    return str(path)


def of(facts: Facts, metric: str) -> set[tuple[str, float]]:
    return {(sample.component, sample.value) for sample in facts.samples if sample.metric == metric}


def test_a_host_is_scraped_and_its_rates_come_with_the_second_page(monitoring: Monitoring) -> None:
    source = opened(monitoring.node, "node_exporter")
    first = source.read()
    assert {component for component, _ in of(first, "system.memory.available")} == {"app-1"}
    assert not of(first, "system.cpu.utilization")
    time.sleep(1.2)
    second = source.read()
    source.close()
    assert len(of(second, "system.cpu.utilization")) == 1  # of all processors, not of each
    assert all(-0.05 <= value <= 1.05 for _, value in of(second, "system.cpu.utilization"))
    assert all(sample.layer is CATALOGUE[sample.metric].layer for sample in second.samples)
    rates = [sample for sample in second.samples if sample.metric == "system.cpu.utilization"]
    assert all(1.0 <= (sample.period_seconds or 0) <= 20 for sample in rates)


def test_what_prometheus_makes_of_an_exporter_and_what_we_do_are_the_same(monitoring: Monitoring, arrays: str) -> None:
    source = opened(monitoring.array, arrays)
    source.read()
    time.sleep(1.0)
    found = source.read()
    source.close()
    prometheus = load(sources, "prometheus", Source).open(
        site="s", component="p", settings={"url": monitoring.prometheus, "mappings": [arrays], "step": 1, "window": 4}
    )
    theirs = prometheus.read()
    prometheus.close()
    for metric in ("storage.lun.read.latency", "storage.host.read.latency", "storage.lun.operations"):
        ours = dict(of(found, metric))
        assert ours == pytest.approx(dict(of(theirs, metric)), rel=0.3 if metric.endswith("operations") else 1e-9)


def test_a_target_that_is_down_is_told_and_never_zero(monitoring: Monitoring, arrays: str) -> None:
    port = free_port()
    source = opened(f"http://127.0.0.1:{port}/metrics", arrays)
    with array(port):
        source.read()
        time.sleep(0.3)
        assert of(source.read(), "storage.lun.operations")
    with pytest.raises(SourceError, match="does not answer: ConnectError") as caught:
        source.read()
    assert not caught.value.permanent
    with array(port):
        back = source.read()
        assert of(back, "storage.lun.read.latency")
        assert not of(back, "storage.lun.operations")  # of the time it was away nothing is known
    source.close()


def test_what_is_no_exporter_says_what_it_is(
    monitoring: Monitoring, arrays: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(url: str, words: str, *, permanent: bool = False, **more: Any) -> None:
        source = opened(url, arrays, **more)
        with pytest.raises(SourceError, match=words) as caught:
            source.read()
        source.close()
        assert caught.value.permanent is permanent
        assert "canary-7741" not in str(caught.value)

    monkeypatch.setenv("EXPORTER_TOKEN", "canary-7741")
    refused(f"{monitoring.prometheus}/api/v1/labels", "is no page of metrics")
    refused(f"{monitoring.site}/broken", "answers 500")
    refused(f"{monitoring.site}/api", "refuses: check user", permanent=True, token="env:EXPORTER_TOKEN")
    refused(monitoring.node, "has none of the metrics of arrays")
    refused(monitoring.node, "longer than 2048 bytes", most_bytes=2048)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mappings": ["no_such_product"]}, "one of dell_powerstore"),
        ({"mappings": []}, "mappings"),
        ({"url": "http://a:canary-7741@127.0.0.1/"}, "must not hold a password"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load(sources, "scrape", Source).open(
            site="s", component="c", settings={"url": "http://127.0.0.1:9", "mappings": ["node_exporter"], **settings}
        )
    assert "canary" not in str(caught.value)
