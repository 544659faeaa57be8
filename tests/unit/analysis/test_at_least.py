"""A value that a probe told as "at least" is a lower bound wherever it is used."""

from dataclasses import replace

import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Evidence, Reference, Status
from tests.worlds.generator import WIFI, Fault, World, window

LATENCY = ("lun-1", "storage.write.latency")
SLOW = Fault(seconds={Phase.SERVER_DB: 0.5}, steps=["save"], populations=[WIFI], shifts={LATENCY: 0.5})
WORLD = World(
    faults=[SLOW], populations=[WIFI], steps={"save": {Phase.SERVER_APP: 0.005, Phase.SERVER_DB: 0.009}}, seconds=700.0
)


def evidence(world: World) -> Evidence:
    """Give what is said of the volume's latency."""
    facts = window(world)
    found = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    (verdict,) = [one for one in found if one.status is Status.SLOW]
    (storage,) = [layer for layer in verdict.layers if layer.layer is Layer.STORAGE]
    told = (*storage.evidence_for, *storage.evidence_against)
    return next(one for one in told if one.source.get("metric") == LATENCY[1])


@pytest.mark.parametrize("limit", [None, 0.25])
def test_a_median_among_values_that_were_given_up_on_is_at_least_so_much(limit: float | None) -> None:
    found = evidence(replace(WORLD, limits={LATENCY: limit} if limit else {}))
    assert found.supports
    assert found.during is not None
    assert (found.during == limit) is (limit is not None)
    assert ("at least" in found.text) is (limit is not None)


def test_nothing_moved_from_a_level_nobody_knows() -> None:
    found = evidence(replace(WORLD, metrics={LATENCY: 0.05}, limits={LATENCY: 0.06}))
    assert not found.supports
    assert "at least 0.06" in found.text or "at least 60" in found.text
