"""The walk along the map keeps its laws: synthetic telemetry of a front, two services, a database and a bystander."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.dependency import Ranking, Telemetry, rank
from analysis.statistics import Floats

FRONT, ORDERS, SEARCH, DATABASE, BYSTANDER = range(5)
CALLS = np.array([(FRONT, ORDERS), (FRONT, SEARCH), (ORDERS, DATABASE), (BYSTANDER, DATABASE)])
OWN = np.array([0.02, 0.03, 0.01, 0.005, 0.04])  # seconds of a request in the component itself
REQUESTS = np.array([500.0, 200.0, 300.0, 200.0, 5.0])


def telemetry(seed: int, samples: int, extra: Floats | None = None) -> Telemetry:
    """Give each component's own seconds, with ``extra`` (components, samples), and what its callees take besides."""
    draw = np.random.default_rng(seed)
    requests: Floats = draw.poisson(REQUESTS[:, None], (len(OWN), samples)).astype(float) + 1.0
    own = OWN[:, None] * draw.lognormal(0.0, 0.2, (len(OWN), samples)) + (0.0 if extra is None else extra)
    total = requests * own
    total[ORDERS] += total[DATABASE]
    total[FRONT] += total[ORDERS] + total[SEARCH]
    return Telemetry(requests=requests, level=total / requests)


NORMAL = telemetry(1, 300)


def fault(component: int, seconds: float, samples: int = 6, begin: int = 2) -> Floats:
    extra = np.zeros((len(OWN), samples))
    extra[component, begin : begin + 3] = seconds
    return extra


def ranked(during: Telemetry, normal: Telemetry = NORMAL) -> Ranking:
    return rank(CALLS, FRONT, normal, during)


@pytest.mark.parametrize("culprit", [ORDERS, SEARCH, DATABASE])
def test_the_component_that_adds_the_time_is_named_not_those_that_wait_for_it(culprit: int) -> None:
    found = ranked(telemetry(2, 6, fault(culprit, 0.15)))
    assert found.named
    assert found.components[0] == culprit
    assert (found.first, found.last) == (2, 4)
    assert BYSTANDER not in found.components


def test_at_most_one_window_in_a_hundred_of_noise_is_named() -> None:
    lengths = (5, 12, 30, 60)
    named = [ranked(telemetry(100 + seed, lengths[seed % 4]), telemetry(seed + 5000, 200)).named for seed in range(120)]
    assert sum(named) <= 3


def test_another_level_all_the_time_is_not_the_cause() -> None:
    extra = fault(SEARCH, 0.15)
    extra[DATABASE] += 0.005
    assert ranked(telemetry(3, 6, extra)).components[0] == SEARCH


def test_a_window_far_longer_than_the_fault_is_trimmed_to_it() -> None:
    found = ranked(telemetry(4, 60, fault(DATABASE, 0.15, samples=60, begin=40)))
    assert found.named
    assert found.components[0] == DATABASE
    assert found.first in {39, 40}
    assert found.last in {42, 43}


def test_neither_units_nor_the_order_of_components_matter() -> None:
    during = telemetry(5, 8, fault(DATABASE, 0.1, samples=8))
    told = ranked(during)
    thousand = [replace(one, level=one.level * 1000.0, requests=one.requests / 60.0) for one in (during, NORMAL)]
    scaled = ranked(*thousand)
    assert scaled.components == told.components
    assert scaled.evidence == pytest.approx(told.evidence)
    assert scaled.coverage == pytest.approx(told.coverage)
    order = np.array([3, 1, 4, 0, 2])  # the component that now has each place
    place = np.argsort(order)
    moved = [Telemetry(requests=one.requests[order], level=one.level[order]) for one in (NORMAL, during)]
    turned = rank(place[CALLS][::-1], int(place[FRONT]), *moved)
    assert tuple(order[list(turned.components)]) == told.components
    assert turned.evidence == pytest.approx(told.evidence)


def test_more_excess_is_more_evidence() -> None:
    told = [ranked(telemetry(6, 6, fault(DATABASE, seconds))).evidence for seconds in (0.0, 0.01, 0.03, 0.1, 0.3)]
    assert told == sorted(told)


def test_what_was_not_measured_is_neither_named_nor_an_error() -> None:
    during = telemetry(7, 6, fault(DATABASE, 0.15))
    gone = NORMAL.level.copy()
    gone[DATABASE] = np.nan
    found = ranked(during, replace(NORMAL, level=gone))
    assert DATABASE not in found.components
    assert found.components[0] == ORDERS
    missing = np.full_like(during.level, np.nan)
    assert not ranked(replace(during, level=missing)).named
    assert ranked(during, replace(NORMAL, level=np.full_like(gone, np.nan))) == Ranking()
    assert rank(np.empty((0, 2), dtype=np.intp), FRONT, NORMAL, during) == Ranking()
