"""Synthetic worlds whose live and test share a LUN: what test does beside live is told with numbers, or not at all."""

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.estate import understood
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import LayerState, LayerVerdict, Reference, Status, Verdict
from tests.worlds.generator import START, WIRED, Fault, World, window

LATER = START + timedelta(days=30)
MAP = f"""\
sites: [{{name: site-1}}]
environments: [synthetic, test]
suppliers: [{{name: hosting}}, {{name: software}}]
components:
  - name: db-1
    layer: database
    kind: database
    environments: [synthetic]
    runs_on: [{{on: lun-1}}]
    supplied: [{{by: software}}]
  - name: db-test
    layer: database
    kind: database
    environments: [test]
    runs_on: [{{on: lun-1, to: {LATER:%Y-%m-%d}}}]
  - {{name: lun-1, layer: storage, kind: lun, supplied: [{{by: hosting}}]}}
"""
ESTATE = understood(MAP, Path("estate.yaml"))
SLOW = Fault(
    seconds={Phase.SERVER_DB: 0.25},
    steps=["save"],
    shifts={("lun-1", "storage.write.latency"): 0.12, ("db-1", "db.wal.sync.latency"): 0.12},
)
WORLD = World(faults=[SLOW])


@lru_cache
def world() -> Window:
    return replace(window(WORLD), estate=ESTATE)


def with_test_runs(begin: float, end: float, every: float) -> Window:
    """Add runs of the test environment between these seconds of the world."""
    made = world()
    steps = made.steps
    own = steps[(steps["link"] == str(WIRED.link)) & (steps["presentation"] == str(WIRED.presentation))]
    start = pd.Timestamp(START.replace(tzinfo=None))
    at = (own["slot"] - start).dt.total_seconds()
    runs = own[(at >= begin) & (at < end) & (at % every < 1)].assign(environment="test", journey="case-test")
    runs["run_id"] = "test" + runs["run_id"].str[4:]
    both = pd.concat([steps, runs]).sort_values(["slot", "run_id", "position"], kind="stable", ignore_index=True)
    return replace(made, steps=both)


def save(facts: Window) -> Verdict:
    found = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    return next(
        one for one in found if one.step == "save" and one.population == WIRED and one.environment == "synthetic"
    )


def storage(verdict: Verdict) -> LayerVerdict:
    return next(one for one in verdict.layers if one.layer is Layer.STORAGE)


def said(verdict: Verdict, *, supports: bool) -> list[str]:
    layer = storage(verdict)
    evidence = layer.evidence_for if supports else layer.evidence_against
    return [one.text for one in evidence if one.rule == "contention.shared"]


def test_slow_beside_test_runs_is_said_with_both_numbers_and_moves_no_share() -> None:
    found, alone = save(with_test_runs(600, 720, 5)), save(world())
    (text,) = said(found, supports=True)
    assert text.startswith("test shares lun-1 with synthetic and made 24 runs in this time; the step took")
    (evidence,) = [one for one in storage(found).evidence_for if one.rule == "contention.shared"]
    assert evidence.before is not None
    assert evidence.during is not None
    assert evidence.during - evidence.before == pytest.approx(0.25, rel=0.3)
    assert storage(found).state is storage(alone).state is LayerState.BLAMED
    assert storage(found).share == pytest.approx(storage(alone).share, abs=0.1)


def test_test_runs_all_the_time_speak_neither_for_nor_against() -> None:
    found = save(with_test_runs(0, 720, 60))
    assert said(found, supports=True) == []
    even = save(with_test_runs(0, 720, 5))
    assert said(even, supports=True) == said(even, supports=False) == []
    assert any("not enough evidence of whether that matters" in note for note in even.data_quality)


def test_few_test_runs_are_not_enough_evidence() -> None:
    found = save(with_test_runs(700, 701, 5))
    assert said(found, supports=True) == said(found, supports=False) == []
    assert any("made 1 runs in this time: not enough evidence" in note for note in found.data_quality)


def test_a_shared_component_is_noted_though_nobody_was_seen_on_it() -> None:
    assert any(
        "test shares lun-1 with synthetic, and no run of it was seen" in note for note in save(world()).data_quality
    )


def test_after_they_parted_nothing_is_said() -> None:
    parted = understood(MAP.replace(f"{LATER:%Y-%m-%d}", f"{START - timedelta(days=1):%Y-%m-%d}"), Path("e.yaml"))
    found = save(replace(with_test_runs(600, 720, 5), estate=parted))
    assert said(found, supports=True) == []
    assert not any("shares" in note for note in found.data_quality)


def test_who_answers_is_named_and_the_map_is_part_of_the_ground() -> None:
    found = save(world())
    assert storage(found).supplier == "hosting"
    assert next(one for one in found.layers if one.layer is Layer.DATABASE).supplier == "software"
    assert found.estate == ESTATE.digest
    assert save(replace(world(), estate=None)).estate is None


def test_measures_of_the_test_system_are_no_evidence_about_live() -> None:
    made = world()
    moved = made.samples[made.samples["component"] == "db-1"].assign(component="db-test")
    facts = replace(made, samples=pd.concat([made.samples, moved], ignore_index=True))

    def components(found: Verdict) -> set[str | None]:
        every = [e for layer in found.layers for e in (*layer.evidence_for, *layer.evidence_against)]
        return {one.source.get("component") for one in every}

    assert "db-test" not in components(save(facts))
    assert "db-test" in components(save(replace(facts, estate=None)))


def test_a_quiet_world_stays_quiet_beside_test_runs() -> None:
    quiet = replace(window(World()), estate=ESTATE)
    found = conclude(quiet, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=quiet.end)
    assert not [one for one in found if one.status in {Status.SLOW, Status.FAILING}]
