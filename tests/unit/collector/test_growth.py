"""Counters that come one by one: what grew of what there is altogether."""

from pathlib import Path

import pytest

from collector.api.growth import Growth
from collector.api.remote_write_decode import Point
from collector.api.translation import Translation
from collector.mapping import load

LABELS = {"instance": "switch-1:161", "ifName": "Gi1/0/1", "ifIndex": "1"}


def points(at: int, octets: float, speed: float) -> list[Point]:
    translation = Translation(load(["snmp_if_mib"], Path()), {})
    given = {"ifHCInOctets": octets, "ifHighSpeed": speed}
    series = {name: translation.of({"__name__": name, **LABELS}) for name in given}
    return [
        Point(part=part, at=at * 1_000_000, value=given[name])
        for name, one in series.items()
        for part in one.parts
        if part.meaning.metric.endswith(".in")
    ]


def test_a_rate_is_divided_by_what_there_is_altogether_whatever_that_was_before() -> None:
    growth = Growth()
    first, _ = growth.rows("s", "a", "body-1", points(100, 1_000_000, 1000))
    assert first.num_rows == 0
    second, resets = growth.rows("s", "a", "body-2", points(110, 13_500_000, 100))
    assert not resets
    (row,) = second.to_pylist()
    assert (row["component"], row["metric"]) == ("switch-1-gi1-0-1", "network.port.utilization.in")
    assert (row["value"], row["period_seconds"]) == (pytest.approx(0.1), 10.0)
    none, resets = growth.rows("s", "a", "body-3", points(120, 0, 100))
    assert (none.num_rows, [one.metric for one in resets]) == (0, ["network.port.utilization.in"])
