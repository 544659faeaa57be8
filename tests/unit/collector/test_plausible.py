"""Values in a wrong unit are a surprise; values that are merely bad are not."""

import pytest

from collector.model.catalogue import CATALOGUE
from collector.model.plausible import surprise


@pytest.mark.parametrize(
    ("metric", "values", "words"),
    [
        ("storage.lun.read.latency", [4.2, 5.0, 3.9], "4.2 s in the middle"),
        ("storage.lun.read.latency", [4e-6, 5e-6, 5e-6], "5e-06 s in the middle"),
        ("storage.array.utilization", [0.4, 97.0], "is a share, and it goes up to 97"),
        ("system.memory.available", [2048.0], "2048 By in the middle"),
        ("storage.lun.operations", [5.0, -1.0], "is below zero"),
        ("endpoint.wifi.signal", [60.0], "60 dBm in the middle"),
    ],
)
def test_a_wrong_unit_is_a_surprise(metric: str, values: list[float], words: str) -> None:
    assert words in (surprise(CATALOGUE[metric], values) or "")


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("storage.lun.read.latency", [0.004, 0.005, 30.0]),  # it hung once
        ("storage.lun.read.latency", [0.0, 0.0]),  # nobody read
        ("process.cpu.utilization", [7.5]),  # processors, not a share
        ("endpoint.wifi.signal", [-61.0]),
        ("agent.clock.skew", [-2.0]),
        ("db.connections.active", [4000.0]),
    ],
)
def test_what_can_be_is_none(metric: str, values: list[float]) -> None:
    assert surprise(CATALOGUE[metric], values) is None
