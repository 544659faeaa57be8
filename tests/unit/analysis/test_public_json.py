"""The verdict's public JSON has the keys others rely on, in their order."""

import json
from functools import lru_cache

import numpy as np
import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from collector.public import verdict_json
from tests.worlds.culprits import CULPRITS, DOWN
from tests.worlds.generator import Fault, World, window

PROMISED = ["id", "status", "against", "rung", "journey", "step", "population", "window", "runs", "excess_seconds"]
PROMISED += ["layers", "unexplained", "inseparable", "data_quality", "methods", "counting_rules", "snapshot"]
LAYER = ["layer", "component", "state", "share", "low", "high", "evidence_for", "evidence_against", "supplier"]


@lru_cache(maxsize=4)
def worst(name: str) -> Verdict:
    worlds = {"slow": CULPRITS["the storage under the database is slow"][1], "failing": DOWN}
    worlds["stalled"] = World(timeout=0.6, faults=[Fault(seconds={Phase.SERVER_DB: 0.55}, steps=["save"])])
    facts = window(worlds[name])
    return conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)[0]


def test_slow_has_the_promised_keys_in_order() -> None:
    found = verdict_json(worst("slow"))
    assert [key for key in found if key in PROMISED] == PROMISED
    assert list(found["layers"][0]) == LAYER
    assert found["layers"][0]["state"] == "blamed"
    assert found["layers"][0]["layer"] == "storage"
    assert found["excess_seconds"].keys() == {"estimate", "low", "high", "level"}
    assert found["window"]["start"].endswith("Z")
    assert "excess_rate" not in found
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_failing_has_a_rate_instead() -> None:
    found = verdict_json(worst("failing"))
    assert found["status"] == "failing"
    assert "excess_seconds" not in found
    assert found["excess_rate"]["estimate"] == pytest.approx(1.0, abs=0.05)


def test_a_median_among_timeouts_prints_as_at_least() -> None:
    verdict = worst("stalled")
    found = verdict_json(verdict)
    assert verdict.status in {Status.SLOW, Status.FAILING}
    assert found["at_least"] == (2 * verdict.censored >= verdict.runs)
    assert found["excess_at_least"] == (verdict.excess_seconds is not None)
    assert found["measured_text"].startswith("≥ ") == found["at_least"]


def test_the_median_of_few_timed_runs_among_errors_is_at_least() -> None:
    facts = window(World(timeout=2.0, faults=[Fault(seconds={Phase.SERVER_DB: 9.0}, steps=["save"])]))
    late = (facts.steps["outcome"] == "timeout") & (facts.steps["slot"].dt.second % 15 != 0)
    facts.steps.loc[late, "outcome"] = "failed"
    facts.steps.loc[late, "seconds"] = np.nan
    bad = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)[0]
    assert bad.step == "save"
    assert 2 * bad.censored < bad.runs
    assert verdict_json(bad)["measured_text"].startswith("≥ ")
