"""Simulated worlds: the same seed gives the same facts, and the truth stands beside them."""

import math

import numpy as np
import pytest

from analysis.truth.draw import LAB, PACES, USE, inseparable, separable
from analysis.truth.facts import window
from analysis.truth.levels import wandering
from analysis.truth.month import quiet_month
from deploy.bench.quiet_months import look_through
from deploy.bench.verdicts import ALL, measure


@pytest.mark.parametrize("seed", range(6))
def test_a_seed_gives_one_world_whose_shares_are_known(seed: int) -> None:
    pace = list(PACES.values())[seed % 2]
    truth, again = separable(seed, pace), separable(seed, pace)
    assert window(truth.world).digest == window(again.world).digest
    slowed = [
        shares for step in truth.world.steps for p in truth.world.populations if (shares := truth.shares(step, p))
    ]
    assert slowed
    assert all(math.fsum(shares.values()) == pytest.approx(1.0) for shares in slowed)
    assert not truth.rose & truth.guilty


def test_seconds_that_a_fault_adds_are_those_that_the_truth_tells() -> None:
    truth = separable(10, LAB)
    fault = truth.world.faults[0]
    rows = window(truth.world).steps
    mine = rows[(rows["step"] == fault.steps[0]) & (rows["link"] == str(fault.populations[0].link))]
    late = (mine["slot"] - mine["slot"].min()).dt.total_seconds() >= fault.start
    added = mine.loc[late, "seconds"].mean() - mine.loc[~late, "seconds"].mean()
    told = sum(truth.seconds(fault.steps[0], fault.populations[0]).values())
    assert added == pytest.approx(told * math.exp(0.045), rel=0.35)  # the mean of a log-normal factor of sigma 0.3


def test_two_layers_that_cannot_be_told_apart_are_named_beside_the_facts() -> None:
    for seed in range(12):
        truth = inseparable(seed, USE)
        assert len(truth.inseparable) == 2
        assert truth.guilty < truth.inseparable


def test_a_level_that_wanders_is_like_its_neighbours_and_forgets() -> None:
    level = np.log(wandering(np.arange(20_000.0), 0.2, 50.0, np.random.default_rng(1)))
    assert level.std() == pytest.approx(0.2, rel=0.1)
    near, far = (np.corrcoef(level[:-lag], level[lag:])[0, 1] for lag in (10, 500))
    assert near == pytest.approx(math.exp(-10 / 50), abs=0.05)
    assert abs(far) < 0.2


def test_a_month_is_looked_at_hour_by_hour() -> None:
    month = quiet_month(3, 1)
    looks = list(month.looks())
    assert len(looks) == 24
    assert len(looks[0].steps) > 0.9 * 6 * 12 * 20
    assert looks[0].hourly["hour"].nunique() == 28 * 24 + 1
    assert set(month.sampled(looks[0]).samples["component"]) == {"app-1", "db-1", "lun-1"}
    assert look_through([], 1).months == 0


def test_the_bench_holds_verdicts_against_the_truth() -> None:
    tallies = measure(0, 2)
    assert tallies[ALL].rates["a step that was slowed has a verdict"].of >= 2
    assert sum(tally.rates["the first layer blamed is the largest culprit"].of for tally in tallies.values()) == 4
