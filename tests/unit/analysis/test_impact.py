"""What a change did: what must hold whatever the data, and what must be refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import benchmarks
from analysis.changes.days import DAY, Measure, Runs, by_day
from analysis.changes.impact import Answer, Bound, Effect, impact
from analysis.changes.step import Mixture, student_below
from tests.worlds.changes import Change


def of(change: Change, measure: Measure = Measure.LEVEL, *, compare: bool = False) -> Effect:
    others = change.draw(touched=False) if compare else None
    return impact(change.draw(), start=change.at, measure=measure, others=others)


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_slower_is_called_worse_and_nothing_is_called_nothing(seed: int) -> None:
    slower, still = of(Change(seed=seed, shift=1.2)), of(Change(seed=seed))
    assert slower.answer is Answer.WORSE
    assert slower.ratio is not None
    assert slower.ratio.low < 1.2 < slower.ratio.high
    assert still.answer in {Answer.NO_DIFFERENCE, Answer.NOT_ENOUGH}
    assert still.smallest is not None
    assert (still.answer is Answer.NO_DIFFERENCE) == (still.smallest <= 0.1)


def test_less_scatter_is_an_improvement_of_the_spread_and_of_nothing_else() -> None:
    change = Change(seed=0, narrowing=0.6)
    assert of(change, Measure.SPREAD).answer is Answer.IMPROVED
    assert of(change).answer is Answer.NO_DIFFERENCE
    assert of(Change(seed=0, shift=1.5), Measure.TAIL).answer is Answer.WORSE


def test_what_others_share_is_not_the_effect() -> None:
    everybody = Change(seed=1, common=1.3)
    assert of(everybody).answer is Answer.WORSE
    compared = of(everybody, compare=True)
    assert compared.compared
    assert compared.ratio is not None
    assert compared.ratio.low < 1 < compared.ratio.high
    assert compared.smallest is not None
    assert compared.days_needed is not None
    assert (compared.days_needed > 28) == (compared.smallest > 0.1)
    assert compared.ratio.estimate == pytest.approx(1.0, abs=0.05)


@given(st.floats(0.01, 100), st.integers(-50, 50), st.integers(0, 1000))
@settings(max_examples=3, deadline=None)
def test_units_weeks_and_the_order_of_runs_do_not_matter(unit: float, weeks: int, seed: int) -> None:
    change = Change(seed=seed, days=14, shift=1.1)
    runs, move = change.draw(), weeks * 7 * DAY
    order = np.random.default_rng(seed).permutation(len(runs.at))
    other = Runs(at=runs.at[order] + move, seconds=runs.seconds[order] * unit, at_least=runs.at_least[order])
    one, two = impact(runs, start=change.at), impact(other, start=change.at + move)
    assert one.ratio is not None
    assert two.ratio is not None
    found = (two.ratio.low, two.ratio.estimate, two.ratio.high)
    assert found == pytest.approx((one.ratio.low, one.ratio.estimate, one.ratio.high), rel=1e-4)
    assert two.answer is one.answer


def test_hours_that_were_not_measured_are_no_effect() -> None:
    change = Change(seed=0)
    runs = change.draw()
    night = (runs.at % DAY < 6 * 3600) & (runs.at >= change.at)
    slow = replace(runs, seconds=runs.seconds * np.where(runs.at % DAY < 6 * 3600, 0.5, 1.0))
    told = impact(slow.of(~night), start=change.at)
    assert told.answer is Answer.NO_DIFFERENCE


def test_timeouts_are_bounds() -> None:
    change = Change(seed=0)
    runs = change.draw()
    late = runs.at >= change.at
    stuck = late & (np.arange(len(late)) % 3 > 0)
    told = impact(
        replace(runs, seconds=np.where(stuck, 30.0, runs.seconds), at_least=runs.at_least | stuck), start=change.at
    )
    assert (told.answer, told.bound) == (Answer.WORSE, Bound.AT_LEAST)
    nothing = impact(replace(runs, at_least=np.ones(len(late), dtype=bool)), start=change.at)
    assert (nothing.answer, nothing.bound, nothing.ratio) == (Answer.NOT_ENOUGH, Bound.BOTH, None)


def test_days_that_a_change_touches_count_on_neither_side() -> None:
    change = Change(seed=0)
    runs = change.draw()
    during = (runs.at >= change.at) & (runs.at < change.at + 3 * DAY)
    told = impact(
        replace(runs, seconds=np.where(during, 9.0, runs.seconds)),
        start=change.at + 3600,
        end=change.at + 2 * DAY + 3600,
    )
    assert told.answer is Answer.NO_DIFFERENCE
    assert sum(told.days) <= 53


def test_little_history_is_said() -> None:
    change = Change(seed=4, days=10)
    runs = change.draw()
    three = runs.of((runs.at >= change.at - 2 * DAY) & (runs.at < change.at + DAY))
    told = impact(three, start=change.at)
    assert told.short
    assert told.ratio is not None
    assert told.ratio.low < 1 < told.ratio.high
    for few in (three.of(three.at > change.at - DAY), three.of(three.at < change.at)):
        assert impact(few, start=change.at) == Effect(
            measure=Measure.LEVEL,
            answer=Answer.NOT_ENOUGH,
            ratio=None,
            seconds=None,
            smallest=None,
            days=impact(few, start=change.at).days,
            days_needed=None,
        )
    with pytest.raises(ValueError, match="leave it out"):
        Runs(at=np.array([0.0]), seconds=np.array([np.nan]), at_least=np.array([False]))


def test_days_with_hardly_any_runs_are_none() -> None:
    runs = Change(seed=0, days=5).draw()
    kept = (runs.at >= DAY) | (np.arange(len(runs.at)) < 5)
    assert by_day(runs.of(kept), Measure.LEVEL).days.tolist() == sorted(set((runs.at // DAY).astype(int)) - {0})


@given(st.integers(0, 1000), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=6, deadline=None)
def test_two_days_move_and_stretch_with_their_samples(seed: int, move: float, unit: float) -> None:
    draw = np.random.default_rng(seed)
    pre, post = draw.normal(10, 1, 576), draw.normal(10, 1, 288)
    one = np.array(benchmarks.impact(pre, post))
    assert one[1] <= one[0] <= one[2]
    assert np.array(benchmarks.impact(pre, post + move)) == pytest.approx(one + move, rel=1e-6, abs=1e-6)
    assert np.array(benchmarks.impact(unit * pre, unit * post)) == pytest.approx(unit * one, rel=1e-6)
    assert benchmarks.impact(pre[:500], post)[1:] == (-math.inf, math.inf)


def test_two_days_that_differ_make_the_interval_wide() -> None:
    draw = np.random.default_rng(3)
    pre, post = draw.normal(10, 1, 576), draw.normal(10, 1, 288)
    still = benchmarks.impact(pre, post)
    moved = benchmarks.impact(pre + np.repeat([0, 5], 288), post)
    assert moved[2] - moved[1] > 20 * (still[2] - still[1])


def test_student_is_exact() -> None:
    for freedom, quantile in ((1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (47, 2.01174), (48, 2.01063)):
        assert student_below(np.array([quantile, -quantile]), freedom) == pytest.approx([0.975, 0.025], abs=1e-6)
        one = Mixture(weights=np.ones(1), centres=np.zeros(1), scales=np.ones(1), freedom=freedom)
        assert one.quantile(0.975) == pytest.approx(quantile, rel=1e-5)
