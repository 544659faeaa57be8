"""Survival against what R prints, and what must hold of any lives."""

import csv
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.survival import Lives, hazard_ratio, kaplan_meier, log_rank, rate_ratio

DATA = Path(__file__).parents[2] / "data" / "survival"
ENTRY = np.array([0.0, 3, 0, 10, 4, 0, 6, 0, 2, 0, 1, 0])
LATE = Lives(
    seconds=np.array([5.0, 9, 12, 13, 8, 20, 7, 11, 9, 15, 9, 5]),
    ended=np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1], dtype=bool),
    entry=ENTRY,
    cluster=np.arange(12) // 2,
)
LATE_AFTER = np.array([0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1], dtype=bool)


def read(name: str) -> tuple[Lives, npt.NDArray[np.bool_]]:
    with (DATA / f"{name}.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("cluster") != ""]
    cluster = np.array([int(row["cluster"]) for row in rows]) if "cluster" in rows[0] else None
    lives = Lives(
        seconds=np.array([float(row["time"]) for row in rows]),
        ended=np.array([row["ended"] == "1" for row in rows]),
        cluster=cluster,
    )
    return lives, np.array([row["group"] == "1" for row in rows])


def lung() -> tuple[Lives, npt.NDArray[np.bool_]]:
    """All 228: the one whose institution is not known has one of its own."""
    with (DATA / "lung.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lives = Lives(
        seconds=np.array([float(row["time"]) for row in rows]), ended=np.array([row["ended"] == "1" for row in rows])
    )
    return lives, np.array([row["group"] == "1" for row in rows])


@pytest.mark.parametrize(
    ("found", "observed", "expected", "chi_square", "p"),
    [
        (read("aml"), (7, 11), (10.6893359923, 7.3106640077), 3.39638869898, 0.06534),
        (read("ovarian"), (7, 5), (5.23353101715, 6.76646898285), 1.06273986129, 0.3026),
        (lung(), (112, 53), (91.5817390296, 73.4182609704), 10.3267419549, 0.001311),
    ],
)
def test_log_rank_is_what_r_prints(
    found: tuple[Lives, npt.NDArray[np.bool_]],
    observed: tuple[int, int],
    expected: tuple[float, float],
    chi_square: float,
    p: float,
) -> None:
    told = log_rank(*found)
    assert told.observed == observed
    assert told.expected == pytest.approx(expected, rel=1e-10)
    assert told.chi_square == pytest.approx(chi_square, rel=1e-10)
    assert told.p == pytest.approx(p, rel=1e-3)


@pytest.mark.parametrize(
    ("found", "beta", "error", "robust", "likelihood", "score"),
    [
        (lung(), -0.53102353762, 0.167178583231, None, 10.6336047309, 10.3251484957),
        (read("lung"), -0.52873161282, 0.167421224302, 0.139850336305, 10.5018549799, 10.2045404977),
        (read("aml"), 0.915532575015, 0.511934275172, None, 3.3844473326, 3.41673439552),
        (read("ovarian"), -0.596380049392, 0.586989526366, None, 1.05145314885, 1.06273986129),
        ((LATE, LATE_AFTER), 0.697250188975, 0.784619705169, 0.69751736872, 0.802048866293, 0.817869758965),
    ],
)
def test_hazard_ratio_is_what_r_prints(
    found: tuple[Lives, npt.NDArray[np.bool_]],
    beta: float,
    error: float,
    robust: float | None,
    likelihood: float,
    score: float,
) -> None:
    told = hazard_ratio(*found)
    assert told is not None
    assert told.log_ratio == pytest.approx(beta, rel=1e-8)
    assert told.error == pytest.approx(error, rel=1e-7)
    assert told.likelihood == pytest.approx(likelihood, rel=1e-8)
    assert told.score == pytest.approx(score, rel=1e-8)
    assert told.ratio.estimate == pytest.approx(math.exp(beta), rel=1e-5)
    if robust is not None:
        assert told.robust == pytest.approx(robust, rel=1e-7)
        assert told.wald == pytest.approx((beta / robust) ** 2, rel=1e-7)


def test_the_curve_is_what_r_prints() -> None:
    lives, after = read("aml")
    curve = kaplan_meier(lives)
    assert curve.share[[0, 6, 14]] == pytest.approx([0.9130434782609, 0.5465838509317, 0.0828157349896])
    assert curve.low[[0, 6, 14]] == pytest.approx([0.69494753753206, 0.31925041397119, 0.00695596679854])
    assert curve.high[[0, 6, 14]] == pytest.approx([0.977515669901, 0.726449173821, 0.286760367981])
    assert kaplan_meier(lives.of(~after)).quantile(0.5) == (31, 13, math.inf)
    assert kaplan_meier(lives.of(after)).quantile(0.5) == (23, 5, 33)
    assert kaplan_meier(LATE).share == pytest.approx([0.8, 0.7, 0.4, 0.32, 0.2133333333, 0.0])
    assert kaplan_meier(LATE).at_risk.tolist() == [10, 8, 7, 5, 3, 1]


def test_the_ratio_of_rates_is_exact() -> None:
    told = rate_ratio((19, 1500.0), (7, 1200.0))
    assert told is not None
    assert (told.low, told.estimate, told.high) == pytest.approx(
        (0.163598933252, 0.460526315789, 1.144061760142), rel=1e-5
    )
    assert rate_ratio((0, 100.0), (0, 100.0)) is None
    none_before = rate_ratio((0, 100.0), (5, 100.0))
    assert none_before is not None
    assert none_before.low > 0.5
    assert none_before.estimate == none_before.high == math.inf


def test_what_cannot_be_told_is_none() -> None:
    lives = Lives(seconds=np.arange(1.0, 7.0), ended=np.array([False, True, False, True, True, False]))
    assert hazard_ratio(lives, lives.ended) is None  # nobody ended before: the ratio is infinite
    assert log_rank(lives, np.zeros(6, dtype=bool)).p == 1.0
    with pytest.raises(ValueError, match="longer"):
        Lives(seconds=np.array([1.0]), ended=np.array([True]), entry=np.array([1.0]))


@given(st.integers(0, 10_000), st.floats(0.01, 1e4))
@settings(max_examples=15, deadline=None)
def test_clocks_and_names_do_not_matter(seed: int, unit: float) -> None:
    draw = np.random.default_rng(seed)
    lives = Lives(seconds=np.ceil(draw.exponential(20, 40)), ended=draw.random(40) < 0.6, cluster=np.arange(40) % 9)
    after, order = draw.random(40) < 0.5, draw.permutation(40)
    other = Lives(seconds=lives.seconds * unit, ended=lives.ended, cluster=lives.cluster).of(order)
    assert log_rank(other, after[order]).chi_square == pytest.approx(log_rank(lives, after).chi_square)
    one, two, swapped = hazard_ratio(lives, after), hazard_ratio(other, after[order]), hazard_ratio(lives, ~after)
    if one is not None:
        assert two is not None
        assert swapped is not None
        assert (two.log_ratio, two.robust) == pytest.approx((one.log_ratio, one.robust), rel=1e-6, abs=1e-9)
        assert (-swapped.log_ratio, swapped.robust) == pytest.approx((one.log_ratio, one.robust), rel=1e-6, abs=1e-9)
