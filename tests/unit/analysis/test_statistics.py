"""The statistics under everything: exact where they can be, deterministic always."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.statistics import (
    at_least,
    centre,
    grouped,
    interval,
    median_interval,
    needed,
    rate_interval,
    rounded,
    trimmed_means,
)


@pytest.mark.parametrize(
    ("successes", "trials", "probability"), [(0, 5, 0.2), (3, 6, 0.5), (5, 6, 0.15), (30, 30, 0.9)]
)
def test_the_binomial_tail_is_exact(successes: int, trials: int, probability: float) -> None:
    exact = sum(
        math.comb(trials, k) * probability**k * (1 - probability) ** (trials - k) for k in range(successes, trials + 1)
    )
    assert at_least(successes, trials, probability) == pytest.approx(exact, rel=1e-9)


def test_how_many_of_a_look_are_needed() -> None:
    assert [needed(look, 0.15, 0.001) for look in (6, 10, 15, 30)] == [5, 7, 8, 12]
    assert needed(3, 0.9, 0.001) == 4


@pytest.mark.parametrize(
    ("bad", "runs", "low", "high"), [(0, 20, 0.0, 0.1391), (20, 20, 0.8609, 1.0), (5, 20, 0.1041, 0.4556)]
)
def test_rate_intervals_are_clopper_pearson(bad: int, runs: int, low: float, high: float) -> None:
    found = rate_interval(bad, runs, 0.9)
    assert found.low == pytest.approx(low, abs=2e-4)
    assert found.high == pytest.approx(high, abs=2e-4)


@given(st.lists(st.floats(min_value=0, max_value=1e6, allow_nan=False), min_size=1, max_size=60))
def test_centres_lie_among_the_values_whatever_their_order(values: list[float]) -> None:
    forward, backward = np.array(values), np.array(values[::-1])
    assert centre(forward, 0.1) == pytest.approx(centre(backward, 0.1))
    assert min(values) - 1e-9 <= centre(forward, 0.1) <= max(values) * (1 + 1e-9)
    found = median_interval(forward, 0.9)
    assert found.low <= found.estimate <= found.high


def test_the_interval_of_a_median_is_the_narrowest_exact_one() -> None:
    found = median_interval(np.arange(1.0, 21.0)[::-1], 0.9)
    assert (found.low, found.estimate, found.high) == (6.0, 10.5, 15.0)  # 0.96; from 7 to 14 it would be 0.88
    few = median_interval(np.array([3.0, 1.0, 2.0]), 0.9)
    assert (few.low, few.high) == (1.0, 3.0)


def test_quantiles_of_groups_are_those_of_each_group() -> None:
    values, groups = np.random.default_rng(3).random(60), np.repeat([0, 2, 3], [40, 1, 19])
    found = grouped(values, groups, 4).quantile(0.95)
    assert np.isnan(found[1])
    assert found[[0, 2, 3]] == pytest.approx([np.quantile(values[groups == group], 0.95) for group in (0, 2, 3)])


def test_a_trimmed_mean_forgets_single_outliers() -> None:
    assert centre(np.array([1.0] * 19 + [1000.0]), 0.1) == 1.0
    assert math.isnan(centre(np.array([]), 0.1))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_rounding_twice_is_rounding_once(value: float) -> None:
    assert rounded(rounded(value)) == rounded(value)
    assert math.copysign(1.0, rounded(-0.0)) == 1.0


def test_the_interval_of_a_trimmed_mean_holds_it_as_often_as_it_says() -> None:
    dice = np.random.default_rng(7)
    truth = trimmed_means(*_runs(dice, 100_001), 0.1, dice)[0][0]
    held = 0
    for _ in range(300):
        mean, draws = trimmed_means(*_runs(dice, 25), 0.1, dice)
        found = interval(float(mean[0]), draws[:, 0], 0.9)
        held += found.low <= truth <= found.high
    assert 0.85 <= held / 300 <= 0.97


def _runs(dice: np.random.Generator, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rows = dice.lognormal(0, 0.5, size=(count, 2)) * np.where(dice.random((count, 1)) < 0.05, 3.0, 1.0)
    return rows, rows.sum(axis=1)
