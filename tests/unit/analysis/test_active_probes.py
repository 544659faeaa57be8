"""What an active probe of a path says counts for the endpoints that walk it, and for no others (synthetic worlds)."""

from dataclasses import replace

import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from tests.worlds.generator import METRICS, WIFI, WIRED, Fault, World, window

LADDER = ("pc-wifi-local.gateway", "network.path.loss")
LOSING = World(
    faults=[Fault(seconds={Phase.PROCESSING: 0.2, Phase.CONNECT: 0.1}, shifts={LADDER: 0.4})],
    metrics={**METRICS, LADDER: 0.0},
)


@pytest.fixture(scope="module")
def found() -> list[Verdict]:
    facts = window(replace(LOSING, seed=4))
    settings = AnalysisSettings(seasonal=False)
    return [v for v in conclude(facts, Reference.EXPECTED, settings, now=facts.end) if v.status is Status.SLOW]


def told(verdict: Verdict) -> str:
    return " ".join(one.text for layer in verdict.layers for one in (*layer.evidence_for, *layer.evidence_against))


def test_a_ladder_speaks_for_its_own_access(found: list[Verdict]) -> None:
    mine = [verdict for verdict in found if verdict.population == WIFI]
    assert mine
    assert all(LADDER[0] in told(verdict) for verdict in mine)


def test_a_ladder_elsewhere_is_not_held_against_this_access(found: list[Verdict]) -> None:
    others = [verdict for verdict in found if verdict.population == WIRED]
    assert others
    assert not any(LADDER[0] in told(verdict) for verdict in others)
