"""In synthetic worlds whose culprit is known, that culprit is named, and nobody else."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase
from collector.model.verdict import LayerState, Reference, Rung, Status, Verdict
from tests.worlds.culprits import ALONE, ALWAYS_SLOW, CULPRITS, DOWN, INNOCENT, SILENT, WAYS
from tests.worlds.generator import START, VNC, WIFI, WIRED, Fault, Missing, World, window

FAST = AnalysisSettings(seasonal=False)
ORDER = [LayerState.BLAMED, LayerState.INCONCLUSIVE, LayerState.CLEARED, LayerState.NOT_MEASURED]
BAD = {Status.SLOW, Status.FAILING}


@lru_cache(maxsize=64)
def verdicts(world_name: str, seed: int) -> tuple[Verdict, ...]:
    facts = window(replace(CULPRITS[world_name][1], seed=seed))
    return tuple(conclude(facts, Reference.EXPECTED, FAST, now=facts.end))


def of(world: World, against: Reference = Reference.EXPECTED) -> list[Verdict]:
    facts = window(world)
    return conclude(facts, against, FAST, now=facts.end)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", CULPRITS)
def test_the_culprit_is_named_and_nobody_else(name: str, seed: int) -> None:
    named(CULPRITS[name], verdicts(name, seed))


@pytest.mark.parametrize("name", WAYS)
def test_the_way_is_told_from_those_who_walk_it(name: str) -> None:
    named(WAYS[name], of(WAYS[name][1]))


def named(case: tuple[Layer, World], said: Sequence[Verdict]) -> None:
    truth, world = case
    bad = [verdict for verdict in said if verdict.status in BAD]
    hit = {(step, population) for fault in world.faults for step in fault.steps for population in fault.populations}
    assert {(verdict.step, verdict.population) for verdict in bad} == hit
    for verdict in bad:
        assert [layer.layer for layer in verdict.blamed] == [truth], verdict
        assert verdict.blamed[0].share > 0.6
        assert verdict.open


@pytest.mark.parametrize("name", CULPRITS)
def test_every_layer_is_listed_blamed_first_with_reasons(name: str) -> None:
    for verdict in verdicts(name, 1):
        if verdict.status not in BAD:
            continue
        assert sorted(layer.layer for layer in verdict.layers) == sorted(Layer)
        states = [layer.state for layer in verdict.layers]
        assert states == sorted(states, key=ORDER.index)
        assert verdict.layers[0].evidence_for
        assert all(0 <= layer.low <= layer.share <= layer.high <= 1 for layer in verdict.layers)
        assert verdict.unexplained is not None
        total = math.fsum(layer.share for layer in verdict.layers) + verdict.unexplained.share
        assert total == pytest.approx(1.0, abs=0.15)
        assert "seasonal" in " ".join(verdict.data_quality)


def test_detection_takes_less_than_a_minute() -> None:
    truth, world = CULPRITS["the storage under the database is slow"]
    found = of(replace(world, seconds=645.0))
    assert {layer.layer for verdict in found if verdict.status in BAD for layer in verdict.blamed} == {truth}


def test_the_innocent_is_not_blamed() -> None:
    found = of(INNOCENT)
    assert {verdict.status for verdict in found} == {Status.NORMAL}
    assert not any(verdict.blamed for verdict in found)


def test_a_fault_on_one_link_is_never_the_core() -> None:
    for name in ("wifi loses packets", "the wired link is congested"):
        for verdict in verdicts(name, 1):
            shares = {layer.layer: layer for layer in verdict.layers}
            if verdict.status in BAD:
                assert shares[Layer.NETWORK_CORE].state is not LayerState.BLAMED
                assert shares[Layer.NETWORK_CORE].share < 0.1


def test_slow_since_the_first_run_is_named_against_its_target() -> None:
    found = [v for v in of(ALWAYS_SLOW, Reference.TARGET) if v.status in BAD]
    assert {v.step for v in found} == {"search"}
    for verdict in found:
        assert verdict.rung is Rung.NONE
        assert [layer.layer for layer in verdict.blamed] == [Layer.DATABASE]
        assert verdict.excess_seconds is not None
        assert verdict.excess_seconds.estimate == pytest.approx(0.33, abs=0.15)
    quiet = [v for v in of(ALWAYS_SLOW, Reference.TARGET) if v.step != "search"]
    assert {v.status for v in quiet} == {Status.NORMAL}


def test_an_application_without_an_account_cannot_be_taken_apart() -> None:
    found = [v for v in of(SILENT) if v.status in BAD]
    assert len(found) == 3
    for verdict in found:
        assert not verdict.blamed
        assert any({Layer.APPLICATION, Layer.DATABASE} <= set(group) for group in verdict.inseparable)
        assert any("Server-Timing" in note for note in verdict.data_quality)


def test_one_access_alone_cannot_tell_its_link_from_the_core() -> None:
    found = [v for v in of(ALONE) if v.status in BAD]
    assert len(found) == 5
    for verdict in found:
        assert not verdict.blamed
        assert any({Layer.ACCESS_NETWORK, Layer.NETWORK_CORE} <= set(group) for group in verdict.inseparable)
        assert any("no other access" in note for note in verdict.data_quality)


def test_an_application_that_is_down_is_failing() -> None:
    found = of(replace(DOWN, seconds=900.0))
    assert {v.status for v in found} == {Status.FAILING}
    for verdict in found:
        assert verdict.excess_rate is not None
        assert verdict.excess_rate.estimate > 0.9
        assert verdict.excess_seconds is None
        states = {layer.layer: layer.state for layer in verdict.layers}
        assert states[Layer.ACCESS_NETWORK] is LayerState.CLEARED
        assert states[Layer.APPLICATION] is LayerState.INCONCLUSIVE


def test_one_link_failing_is_the_link() -> None:
    world = World(faults=[Fault(outcome=Outcome.FAILED, error_kind="connect", populations=[WIFI])])
    bad = [v for v in of(world) if v.status in BAD]
    assert {v.population for v in bad} == {WIFI}
    assert {layer.layer for v in bad for layer in v.blamed} == {Layer.ACCESS_NETWORK}


def test_some_timeouts_are_lower_bounds_not_samples() -> None:
    world = World(timeout=0.6, faults=[Fault(seconds={Phase.SERVER_DB: 0.5}, steps=["save"])])
    bad = [v for v in of(world) if v.status in BAD]
    assert {v.step for v in bad} == {"save"}
    for verdict in bad:
        assert 0 < verdict.censored < verdict.runs
        assert any("lower bounds" in note for note in verdict.data_quality)


def test_against_the_best_access_the_slow_link_is_named() -> None:
    world = World(faults=[Fault(start=0.0, seconds={Phase.PROCESSING: 0.3}, populations=[WIFI])])
    bad = [v for v in of(world, Reference.REFERENCE) if v.status in BAD]
    assert {v.population for v in bad} == {WIFI}
    assert all(v.excess_seconds is not None and v.excess_seconds.estimate > 0.2 for v in bad)


def test_too_few_runs_are_not_enough_evidence() -> None:
    assert {v.status for v in of(World(seconds=40.0, populations=[WIFI]))} == {Status.NOT_ENOUGH_EVIDENCE}


def test_a_missing_access_and_gaps_are_said() -> None:
    world = World(missing=Missing(told=lambda population, at: population == WIRED and 300 <= at < 500))
    found = [v for v in of(world) if v.population == WIRED]
    assert {v.status for v in found} == {Status.NORMAL}
    assert all(any("a gap of" in note for note in v.data_quality) for v in found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_link_that_times_out_now_and_then_is_not_cleared_because_other_steps_went_well(seed: int) -> None:
    fault = Fault(seconds={Phase.PROCESSING: 6.0}, populations=[WIFI], hit=0.6)
    bad = [v for v in of(World(timeout=2.0, faults=[fault], seed=seed)) if v.status in BAD]
    assert len(bad) == 5
    assert {layer.layer for v in bad for layer in v.blamed} == {Layer.ACCESS_NETWORK}


def test_failures_are_the_storages_only_when_its_latency_can_explain_the_wait() -> None:
    shift = {("lun-1", "storage.write.latency"): 0.02}
    timeouts = Fault(seconds={Phase.SERVER_DB: 6.0}, steps=["save"], shifts=shift)
    errors = Fault(outcome=Outcome.FAILED, error_kind="status", http_status=500, steps=["save"], shifts=shift)
    for world in (World(timeout=2.0, faults=[timeouts]), World(faults=[errors])):
        bad = [v for v in of(world) if v.status in BAD]
        assert {v.step for v in bad} == {"save"}
        assert not any(v.blamed for v in bad)


def test_errors_that_come_at_once_name_no_layer_whose_measures_moved() -> None:
    fault = Fault(outcome=Outcome.FAILED, error_kind="status", http_status=500, shifts={("db-1", "db.busy"): 0.3})
    bad = [v for v in of(World(faults=[fault])) if v.status in BAD]
    assert bad
    assert not any(v.blamed for v in bad)


def test_failures_before_count_whether_they_were_timed_or_not() -> None:
    usual = Fault(outcome=Outcome.FAILED, error_kind="connect", hit=0.05, start=0.0)
    worse = Fault(outcome=Outcome.FAILED, error_kind="connect", hit=0.9)
    facts = window(World(faults=[usual, worse], populations=[WIFI], seed=3))
    for verdict in conclude(facts, Reference.EXPECTED, FAST, now=facts.end):
        assert verdict.excess_rate is not None
        assert verdict.excess_rate.estimate < verdict.excess_rate.high
        rows = facts.steps[(facts.steps["step"] == verdict.step) & (facts.steps["slot"] <= _naive(verdict.end))]
        before, during = rows[rows["slot"] < _naive(verdict.start)], rows[rows["slot"] >= _naive(verdict.start)]
        rates = [float((part["outcome"] == "failed").mean()) for part in (before, during)]
        assert rates[0] > 0
        assert verdict.excess_rate.estimate == pytest.approx(rates[1] - rates[0], abs=0.02)


def test_a_release_of_the_test_system_says_nothing_of_the_live_one() -> None:
    _, world = CULPRITS["the code is slow after a release"]
    live = replace(world, faults=[replace(world.faults[0], release=None)])
    steps = window(live).steps
    other = steps.assign(environment="test", run_id="t" + steps["run_id"].astype(str), release="3.59")
    other["release"] = np.where(other["slot"] < _naive(START + timedelta(seconds=600)), "3.58", "3.59")
    facts = replace(window(live), steps=pd.concat([steps, other]).sort_values(["slot", "run_id", "position"]))
    bad = [v for v in conclude(facts, Reference.EXPECTED, FAST, now=facts.end) if v.status in BAD]
    seen = {v.environment: [e.rule for p in v.layers for e in p.evidence_for] for v in bad}
    assert "infrastructure.release" in seen["test"]
    assert "infrastructure.release" not in seen["synthetic"]


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


ENDPOINT = {("pc-wifi-local", "endpoint.cpu.utilization"): 0.1, ("pc-wifi-local", "system.network.retransmits"): 0.2}


def states(verdict: Verdict) -> dict[Layer, LayerState]:
    return {part.layer: part.state for part in verdict.layers}


def test_a_busy_endpoint_is_not_told_from_its_link_by_time_alone() -> None:
    busy = Fault(
        seconds={Phase.PROCESSING: 0.3},
        populations=[WIFI],
        shifts={("pc-wifi-local", "endpoint.cpu.utilization"): 0.8},
    )
    bad = [v for v in of(World(faults=[busy], metrics=ENDPOINT)) if v.status in BAD]
    assert len(bad) == 5
    assert not any(v.blamed for v in bad)
    assert all((Layer.ENDPOINT, Layer.ACCESS_NETWORK) in v.inseparable for v in bad)


@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_retransmits_of_an_endpoint_neither_clear_nor_blame_its_link(shift: float) -> None:
    shifts = {("pc-wired-vnc", "system.network.retransmits"): shift}
    fault = Fault(seconds={Phase.PROCESSING: 0.3}, populations=[VNC], shifts=shifts)
    still = {("pc-wired-vnc", "system.network.retransmits"): 0.2}
    bad = [v for v in of(World(faults=[fault], populations=[WIFI, VNC], metrics=still)) if v.status in BAD]
    assert len(bad) == 5
    for verdict in bad:
        assert not verdict.blamed
        assert states(verdict)[Layer.ACCESS_NETWORK] is LayerState.INCONCLUSIVE
        part = next(p for p in verdict.layers if p.layer is Layer.ACCESS_NETWORK)
        shown = part.evidence_for if shift else part.evidence_against
        assert "infrastructure.system.network.retransmits" in {e.rule for e in shown}


def test_time_no_phase_covers_does_not_clear_an_endpoint_that_was_not_seen_busy() -> None:
    facts = window(World(faults=[Fault(seconds={Phase.SERVER_APP: 0.3}, populations=[WIFI])], metrics=ENDPOINT))
    late = facts.steps["server_app"] > 0.15
    for column in ("server_app", "processing"):
        facts.steps.loc[late, column] -= 0.14
    bad = [v for v in conclude(facts, Reference.EXPECTED, FAST, now=facts.end) if v.status in BAD]
    assert bad
    for verdict in bad:
        assert states(verdict)[Layer.ENDPOINT] is LayerState.INCONCLUSIVE
        assert verdict.unexplained is not None
        assert verdict.unexplained.share > 0.2


def test_a_skewed_clock_and_missing_data_are_said_of_the_access_they_concern() -> None:
    said = {
        ("pc-wifi-local", "agent.clock.skew"): 90.0,
        ("pc-wifi-local", "agent.slots.missed"): 2.0,
        ("pc-wifi-local", "agent.outbox.dropped"): 7.0,
        ("pc-wired-local", "agent.clock.skew"): 0.001,
    }
    found = of(World(seconds=300.0, metrics=said))
    for words in ("clocks differ", "s ahead", "slots in which no run", "outbox was full"):
        assert {v.population for v in found if words in " ".join(v.data_quality)} == {WIFI}, words
    assert {v.status for v in found} == {Status.NORMAL}
    assert {states(v)[Layer.ENDPOINT] for v in found} == {LayerState.NOT_MEASURED}


def test_one_step_failing_from_one_access_is_not_blamed_on_a_link_that_carries_the_others() -> None:
    fault = Fault(seconds={Phase.SERVER_DB: 6.0}, steps=["print"], populations=[WIFI], hit=0.9)
    bad = [v for v in of(World(timeout=2.0, faults=[fault])) if v.status in BAD]
    assert {(v.step, v.population) for v in bad} == {("print", WIFI)}
    assert not any(v.blamed for v in bad)
    assert all({Layer.ACCESS_NETWORK, Layer.DATABASE} <= set(v.inseparable[0]) for v in bad)
