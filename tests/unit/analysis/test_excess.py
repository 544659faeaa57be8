"""How sure an excess is: of the runs, of where it was cut, and of what it is counted from."""

import numpy as np
import pytest

from analysis.counting import RULES
from analysis.episodes import judge
from analysis.settings import AnalysisSettings
from analysis.statistics import RESAMPLES, SEED, centre, median_draws, trimmed_draws
from collector.model.run import Phase
from collector.model.verdict import Interval, Reference
from tests.worlds.calibration import excess_row, quiet_rows, share_rows
from tests.worlds.generator import WIFI, Fault, World, window

FAST = AnalysisSettings(seasonal=False)


@pytest.mark.parametrize("count", [1, 2, 7, 24, 300])
def test_a_trimmed_mean_is_resampled_run_by_run_and_trimmed_anew(count: int) -> None:
    values = np.random.default_rng(count).lognormal(0, 0.5, count)
    ordered, cut = np.sort(values), int(count * RULES.trimmed)
    picks = np.random.default_rng(SEED).integers(0, count, size=(RESAMPLES, count))
    plain = np.sort(ordered[picks], axis=1)[:, cut : count - cut].mean(axis=1)
    middle = centre(values, RULES.trimmed)
    draws = trimmed_draws(values, RULES.trimmed, 0.9)
    wider = np.abs(draws - middle).max() / max(np.abs(plain - middle).max(), 1e-12) if count > 1 else 1.0
    assert draws == pytest.approx(middle + (plain - middle) * wider)


@pytest.mark.parametrize(("count", "student"), [(8, 1.895), (12, 1.796), (24, 1.714), (300, 1.650)])
def test_few_runs_are_less_sure_as_students_t_is(count: int, student: float) -> None:
    values = np.arange(count, dtype=float)
    draws = trimmed_draws(values, 0.0, 0.9)
    half = float(np.diff(np.quantile(draws, [0.05, 0.95]))[0]) / 2
    assert half == pytest.approx(student * values.std(ddof=1) / np.sqrt(count), rel=0.12)


def test_errors_of_the_level_and_of_the_runs_are_not_drawn_alike() -> None:
    values = np.random.default_rng(3).lognormal(0, 0.5, 120)
    together = np.corrcoef(trimmed_draws(values, RULES.trimmed, 0.9), median_draws(values))[0, 1]
    assert abs(together) < 0.15


def excess(against: Reference, *, quiet: float) -> Interval:
    """Give the excess of a steady fault of 2 s on a noisy step, after ``quiet`` seconds."""
    fault = Fault(start=quiet, seconds={Phase.PROCESSING: 2.0}, steps=["print"])
    world = World(
        populations=[WIFI], sampled=False, jitter=0.5, length=20.0, drift=0.0, faults=[fault],
        target=1.1, seconds=quiet + 1500.0,
    )  # fmt: skip
    judged = judge(window(world), against, FAST)
    (found,) = [e.excess_seconds for one in judged for e in one.episodes if e.step == "print" and e.open]
    assert found is not None
    return found


def test_an_excess_over_little_quiet_time_is_less_sure_than_over_much_and_than_over_a_target() -> None:
    little, much = (excess(Reference.EXPECTED, quiet=quiet) for quiet in (250.0, 1500.0))
    declared = excess(Reference.TARGET, quiet=250.0)
    widths = [found.high - found.low for found in (little, much, declared)]
    assert widths[0] > 1.3 * widths[1] > 1.3 * widths[2] * 0.9
    assert widths[0] > 1.3 * widths[2]


def test_an_interval_of_0_9_holds_the_true_excess_about_nine_times_in_ten() -> None:
    row = excess_row(30, length=20.0, hit=0.8, jitters=(0.15,))
    assert row.of > 140
    assert 0.84 <= row.share <= 0.97


def test_the_bench_answers_its_questions() -> None:
    quiet = {row.question: row.share for row in quiet_rows(1)}
    assert set(quiet.values()) == {0.0, 1.0}
    *held, blamed = share_rows(1)
    assert [row.of for row in held] == [5, 5, 5, 0]
    assert (blamed.found, blamed.of) == (0, 10)
