"""The link does to packets what its conditions say."""

import random
from itertools import pairwise

import pytest

from deploy.lab.link import Conditions, Direction


def direction(conditions: Conditions) -> Direction:
    return Direction(conditions, random.Random(7))


def test_without_conditions_packets_pass_at_once() -> None:
    assert direction(Conditions()).release_at(5.0, 1400) == 5.0


def test_delay_and_jitter_never_reorder() -> None:
    link = direction(Conditions(delay=10, jitter=20))
    left = [link.release_at(number * 0.001, 100) for number in range(500)]
    times = [time for time in left if time is not None]
    assert times == sorted(times)
    assert all(time >= number * 0.001 + 0.010 for number, time in enumerate(times))


def test_rate_makes_packets_wait_for_each_other_until_the_queue_is_full() -> None:
    link = direction(Conditions(rate=1000, queue=50))  # 1000 bytes take 8 ms
    left = [link.release_at(0.0, 1000) for _ in range(20)]
    assert left[:3] == [pytest.approx(0.008), pytest.approx(0.016), pytest.approx(0.024)]
    assert left[7] is None  # the queue in front of it is 56 ms long
    assert link.release_at(0.05, 1000) is not None  # it has drained meanwhile


def test_loss_is_as_frequent_as_told_and_comes_in_bursts() -> None:
    conditions = Conditions(loss=0.0, bad_loss=1.0, to_bad=0.02, to_good=0.25)
    link = direction(conditions)
    lost = [link.release_at(float(number), 100) is None for number in range(50_000)]
    share = sum(lost) / len(lost)
    assert share == pytest.approx(0.02 / (0.02 + 0.25), rel=0.15)
    after_loss = [later for earlier, later in pairwise(lost) if earlier]
    assert sum(after_loss) / len(after_loss) > 5 * share
