"""How many runs are enough: three far too slow, when somebody else saw it too; of many, those that stood still."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.conclude import conclude
from analysis.expectation import Band
from analysis.series import split
from analysis.settings import AnalysisSettings
from analysis.significance import significant
from analysis.watch import Stretch, in_a_row
from collector.model.access import Population
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Reference, Rung, Status, Verdict
from tests.worlds.culprits import TOLD
from tests.worlds.generator import WIFI, WIRED, Fault, World, window

FAST = AnalysisSettings(seasonal=False)
STALLED = {("lun-1", "storage.write.latency"): 1.5}


def slow(world: World) -> list[Verdict]:
    facts = window(world)
    found = conclude(facts, Reference.EXPECTED, FAST, now=facts.end)
    return [verdict for verdict in found if verdict.status is Status.SLOW]


def three_runs(populations: list[Population]) -> World:
    """Give a world whose last three runs are slow, of one step."""
    fault = Fault(seconds={Phase.SERVER_DB: 1.0}, steps=["save"], populations=populations, start=5700.0)
    return World(metrics=TOLD, populations=[WIRED, WIFI], seconds=5880.0, every=60.0, sample_every=60.0, faults=[fault])


def test_three_runs_are_enough_where_another_access_was_slow_then_too() -> None:
    found = slow(three_runs([WIRED, WIFI]))
    assert {(verdict.step, verdict.population, verdict.runs) for verdict in found} == {
        ("save", WIRED, 3),
        ("save", WIFI, 3),
    }


def test_three_runs_of_one_step_and_access_alone_are_not() -> None:
    assert slow(three_runs([WIRED])) == []


@pytest.mark.parametrize(("rate", "rows"), [(0.001, 3), (0.02, 3), (0.05, 4), (0.2, 8)])
def test_the_less_rare_slow_runs_are_the_more_in_a_row_it_takes(rate: float, rows: int) -> None:
    assert in_a_row(rate, 0.001) == {rows: rows}
    assert rate**rows <= 0.00001


@pytest.mark.parametrize(
    ("runs", "times", "counts"), [(6, 1.6, False), (6, 2.2, True), (60, 1.6, True), (60, 1.3, False)]
)
def test_few_runs_must_be_far_slower_than_many(runs: int, times: float, counts: bool) -> None:
    facts = window(World(populations=[WIRED], seconds=60.0 * runs, every=60.0))
    series = next(one for one in split(facts.steps, facts.mixed) if one.key.step == "save")
    series = replace(series, seconds=np.full(len(series), times))
    band = Band(rung=Rung.HOUR_OF_DAY, low=0.8, mid=1.0, high=1.2, runs=99, between=0.08, within=0.2)
    bands = dict.fromkeys(np.unique(series.slots.astype("datetime64[h]")), band)
    whole = (Stretch(0, len(series) - 1),)
    assert significant(whole, series, np.ones(len(series)), bands) == (whole if counts else ())
    assert significant(whole, series, np.ones(len(series)), {}) == whole


def stalls(populations: list[Population]) -> World:
    """Give a world in which one save in five stands still, from these accesses."""
    fault = Fault(
        seconds={Phase.SERVER_DB: 1.5}, steps=["save"], populations=populations, hit=0.2, shifts=STALLED, moments=0.3
    )
    return World(metrics=TOLD, populations=[WIRED, WIFI], seconds=1200.0, faults=[fault], seed=2)


def test_what_stands_still_now_and_then_is_explained_by_the_runs_that_did() -> None:
    found = slow(stalls([WIRED, WIFI]))
    assert {verdict.population for verdict in found} == {WIRED, WIFI}
    for verdict in found:
        assert verdict.stood
        assert verdict.stood < verdict.runs / 2
        assert verdict.excess_seconds
        assert 1.0 < verdict.excess_seconds.low < verdict.excess_seconds.high < 2.4
        assert [layer.layer for layer in verdict.blamed] == [Layer.STORAGE]
        assert verdict.blamed[0].low > 0.6


def test_standing_still_seldom_needs_a_second_witness() -> None:
    assert len(slow(stalls([WIRED]))) < len(slow(stalls([WIRED, WIFI])))
