"""What a page of metrics says: growth since the page before, put together by component, in the catalogue's units."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from collector.mapping import MetricMapping, load
from collector.sources.scrape.page import NoPage, Page, parse
from collector.sources.scrape.series import values

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OWN = """
product: own
component: [lun]
rows:
  - {name: io_seconds_total, how: ratio, per: io_total, metric: storage.host.read.latency, unit: s}
  - {name: io_total, how: rate, metric: storage.lun.operations, unit: "1"}
  - {name: busy, metric: storage.array.utilization, unit: "%"}
"""


@pytest.fixture
def own(tmp_path: Path) -> MetricMapping:
    (tmp_path / "own.yaml").write_text(OWN)
    return load(["own.yaml"], tmp_path)[0]


def page(text: str, mapping: MetricMapping, at: float, kind: str = "text/plain; version=0.0.4") -> Page:
    names = {name for row in mapping.rows for name in (row.name, row.per, row.over) if name}
    return parse(text, kind, names, at=at)


def told(mapping: MetricMapping, now: Page, before: Page | None = None) -> Mapping[tuple[str, str], float]:
    found = values(mapping, now, before or {}, mapping.component_of)
    return {(one.row.metric, one.component): one.value for one in found}


def product(name: str, *pages: str) -> Mapping[tuple[str, str], float]:
    """Read pages of an exporter that are ten seconds apart; give what the last one says."""
    (mapping,) = load([name], Path())
    *_, before, now = [{}, *(page(text, mapping, 10.0 * number) for number, text in enumerate(pages))]
    return told(mapping, now, before)


def disks(seconds: float, operations: float, end: str = "") -> str:
    """Write a page of two disks of one LUN; only the first works."""
    return (
        "# TYPE io_seconds counter\n"
        f'io_seconds_total{{lun="a",disk="0"}} {seconds}\nio_seconds_total{{lun="a",disk="1"}} 7\n'
        f'# TYPE io counter\nio_total{{lun="a",disk="0"}} {operations}\nio_total{{lun="a",disk="1"}} 9\n{end}'
    )


@pytest.mark.parametrize(("kind", "end"), [("text/plain", ""), (OPEN, "# EOF\n")])
def test_growth_of_all_series_of_a_component_is_put_together(own: MetricMapping, kind: str, end: str) -> None:
    before, now = page(disks(1, 100, end), own, 100, kind), page(disks(1.5, 300, end), own, 110, kind)
    assert told(own, before) == {}  # one page has no growth
    assert told(own, now, before) == pytest.approx(
        {("storage.host.read.latency", "a"): 0.0025, ("storage.lun.operations", "a"): 20.0}
    )


def test_no_operation_is_no_latency_and_a_reset_is_no_growth(own: MetricMapping) -> None:
    before = page(disks(1, 100), own, 100)
    assert told(own, page(disks(1, 100), own, 110), before) == {("storage.lun.operations", "a"): 0.0}
    assert told(own, page(disks(0.5, 40), own, 110), before) == {}


def test_a_value_that_the_exporter_dates_is_taken_once_and_what_is_no_number_never(own: MetricMapping) -> None:
    dated = page('busy{lun="a"} 50 90000\nbusy{lun="b"} NaN\n', own, 100)
    assert told(own, dated) == {("storage.array.utilization", "a"): 0.5}
    assert next(iter(values(own, dated, {}, own.component_of))).at == 90
    assert told(own, dated, dated) == {}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (OPEN, 'busy{lun="a"} 50\n'),  # cut off: its end is missing
        ("text/plain", "<html><body>sign in, canary</body></html>"),
        ("text/plain", 'busy{lun="a"\n'),
        ("text/plain", "busy five\n"),
    ],
)
def test_what_is_no_page_is_told_without_repeating_it(own: MetricMapping, kind: str, text: str) -> None:
    with pytest.raises(NoPage, match="no page of metrics") as caught:
        page(text, own, 100, kind)
    assert "canary" not in str(caught.value)


def test_ready_time_of_a_machine_is_shared_by_its_processors() -> None:
    labels = 'vm_name="app-1",host_name="esx01",ds_name="ds",dc_name="dc",cluster_name="c"'
    names = {"cpu_ready_summation": 800, "cpu_costop_summation": 40, "num_cpu": 4}
    names |= {"mem_vmmemctl_average": 1024, "disk_maxTotalLatency_latest": 30}
    found = product(
        "vmware_exporter", "\n".join(f"vmware_vm_{name}{{{labels}}} {n}" for name, n in names.items()) + "\n"
    )
    assert found == pytest.approx(
        {
            ("vm.cpu.ready", "app-1"): 0.01,  # 800 ms of 20 s on 4 processors
            ("vm.cpu.costop", "app-1"): 0.0005,
            ("vm.memory.ballooned", "app-1"): 1024 * 1024,
            ("vm.disk.latency.maximum", "app-1"): 0.03,
        }
    )


def test_ports_of_a_switch_are_in_use_by_what_grew_of_their_speed() -> None:
    def port(octets: int, discards: int) -> str:
        labels = 'ifAlias="",ifDescr="g1",ifIndex="1",ifName="Gi1/0/1"'
        down = labels.replace("1", "2")
        told = {"ifHCInOctets": octets, "ifOutDiscards": discards, "ifHighSpeed": 100}
        lines = [f"{name}{{{labels}}} {value}" for name, value in told.items()]
        lines.insert(0, "# TYPE ifHCInOctets counter")  # whose name has no _total
        return "\n".join([*lines, f"ifHCInOctets{{{down}}} 0", f"ifHighSpeed{{{down}}} 0"]) + "\n"

    found = product("snmp_if_mib", port(1_000_000, 5), port(13_500_000, 25))
    assert found == pytest.approx(
        {("network.port.utilization.in", "Gi1/0/1"): 0.1, ("network.port.discards.out", "Gi1/0/1"): 2.0}
    )


def test_access_points_have_radios_clients_and_frames_sent_again() -> None:
    def radios(frames: int, again: int) -> str:
        return "".join(
            f'bsnAPIfLoadChannelUtilization{{bsnAPName="ap-3",bsnAPIfSlotId="{slot}"}} {20 + 40 * slot}\n'
            f'bsnApIfNoOfUsers{{bsnAPName="ap-3",bsnAPIfSlotId="{slot}"}} 7\n'
            f'bsnAPIfDot11RetryCount{{bsnAPName="ap-3",bsnAPIfSlotId="{slot}"}} {again}\n'
            f'bsnAPIfDot11TransmittedFrameCount{{bsnAPName="ap-3",bsnAPIfSlotId="{slot}"}} {frames}\n'
            for slot in (0, 1)
        )

    assert product("snmp_cisco_wlc", radios(1000, 10), radios(2000, 160)) == pytest.approx(
        {
            ("wifi.ap.channel.utilization", "ap-3-0"): 0.2,
            ("wifi.ap.channel.utilization", "ap-3-1"): 0.6,
            ("wifi.ap.clients", "ap-3"): 14,
            ("wifi.ap.retries", "ap-3"): 0.15,
        }
    )
