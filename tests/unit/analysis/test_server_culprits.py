"""What happens inside and beside a server is told apart by what the server and its machine say of themselves."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from tests.worlds.culprits import SERVER_CULPRITS, TOLD
from tests.worlds.generator import WIRED, Fault, World, window

FAST = AnalysisSettings(seasonal=False)


def slow(world: World) -> list[Verdict]:
    facts = window(world)
    found = conclude(facts, Reference.EXPECTED, FAST, now=facts.end)
    return [verdict for verdict in found if verdict.status is Status.SLOW]


@pytest.mark.parametrize("name", SERVER_CULPRITS)
def test_the_culprit_is_named_and_nobody_else(name: str) -> None:
    truth, world = SERVER_CULPRITS[name]
    bad = slow(world)
    assert {verdict.step for verdict in bad} == set(world.faults[0].steps)
    assert {layer.layer for verdict in bad for layer in verdict.blamed} == {truth}
    for verdict in bad:
        assert all(layer.share > 0.6 for layer in verdict.blamed)


def of_search(shifts: Mapping[tuple[str, str], float], release: str | None) -> set[Layer]:
    fault = Fault(seconds={Phase.SERVER_DB: 0.5}, steps=["search"], release=release, shifts=shifts)
    return {
        layer.layer
        for verdict in slow(World(metrics=TOLD, populations=[WIRED], faults=[fault]))
        for layer in verdict.blamed
    }


def test_asking_more_often_is_the_release_only_when_there_is_a_new_one() -> None:
    _, world = SERVER_CULPRITS["a release asks once per row"]
    assert of_search(world.faults[0].shifts, "3.60") == {Layer.APPLICATION}
    assert of_search(world.faults[0].shifts, None) == {Layer.DATABASE}


def test_a_machine_that_is_not_run_for_a_moment_explains_no_slow_query() -> None:
    shifts = {("app-1", "system.cpu.halted"): 0.08, ("app-1", "system.cpu.halted.longest"): 0.1}
    assert of_search(shifts, None) == {Layer.DATABASE}


def test_one_long_standstill_is_no_episode_and_neither_are_rare_ones() -> None:
    quiet = World(seconds=900.0, populations=[WIRED], stalls=[650.0], stall=12.0)
    assert slow(quiet) == []
    assert slow(replace(quiet, stalls=[300.0, 500.0, 700.0], stall=4.0)) == []
