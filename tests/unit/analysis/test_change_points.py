"""Change points: found where they are, and silence where there are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import benchmarks
from analysis.changes.seasons import without_outliers, without_season
from analysis.statistics import Floats
from tests.worlds.unchanged import UNCHANGED


def steps(seed: int) -> Floats:
    levels: Floats = np.array([0.0, 4.0, -1.0])
    return np.asarray(np.random.default_rng(seed).normal(size=90) + np.repeat(levels, 30))


@pytest.mark.parametrize("kind", UNCHANGED)
def test_what_has_an_explanation_without_a_change_has_none(kind: str) -> None:
    assert benchmarks.detect(UNCHANGED[kind](np.random.default_rng(7), 100)) == []


@given(st.integers(0, 10_000), st.floats(-1e4, 1e4), st.sampled_from([-1e3, -1.0, 1e-3, 50.0]))
@settings(max_examples=2, deadline=None)
def test_two_steps_are_found_in_any_unit(seed: int, move: float, unit: float) -> None:
    found = benchmarks.detect(steps(seed))
    assert found == pytest.approx([30, 60], abs=2)
    assert benchmarks.detect(move + unit * steps(seed)) == pytest.approx(found, abs=1)


def test_gaps_columns_and_nothing() -> None:
    both = np.column_stack([np.random.default_rng(1).normal(size=90), steps(2)])
    both[10:14, 1] = np.nan
    assert benchmarks.detect(both) == pytest.approx([30, 60], abs=2)
    assert benchmarks.detect(np.full(50, 3.0)) == []
    assert benchmarks.detect(np.full(50, np.nan)) == []
    assert benchmarks.detect(np.arange(5.0)) == []


def test_a_season_and_outliers_are_no_changes() -> None:
    place, draw = np.arange(120), np.random.default_rng(0)
    season = 3 * np.sin(place * 2 * np.pi / 7) + 0.3 * draw.normal(size=120)
    assert np.std(without_season(season)) < 0.5
    assert without_season(draw.normal(size=120)) is not None
    spiky = 0.3 * draw.normal(size=120)
    spiky[50] = 40.0
    assert abs(without_outliers(spiky)[50]) < 1
    stepped = season + 4.0 * (place >= 60)
    assert benchmarks.detect(stepped) == pytest.approx([60], abs=2)
