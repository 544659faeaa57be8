"""The link does to packets what its conditions say."""

import random
import socket
import struct
from itertools import pairwise

import pytest

from deploy.lab.link import Conditions, Direction, ports_of


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


def test_a_standstill_holds_both_ways_until_it_ends_and_then_all_goes_on() -> None:
    there, back = (direction(Conditions(stall=1.0, stall_gap=2.0)) for _ in range(2))
    back.standstill = there.standstill
    waits = []
    for number in range(20_000):
        now = number * 0.01
        leaves = [there.release_at(now, 100), back.release_at(now, 100)]
        assert leaves[0] == leaves[1]
        assert leaves[0] is not None
        waits.append(leaves[0] - now)
    assert 0.5 < max(waits) <= 1.5
    standing = sum(wait > 0 for wait in waits) / len(waits)
    assert standing == pytest.approx(1 / 3, abs=0.05)


def test_what_is_sent_while_the_link_stands_still_may_be_lost() -> None:
    link = direction(Conditions(stall=1.0, stall_gap=1.0, stall_loss=1.0))
    lost = sum(link.release_at(number * 0.01, 100) is None for number in range(20_000)) / 20_000
    assert lost == pytest.approx(0.5, abs=0.05)


def test_one_port_may_be_late_and_keeps_nobody_else_back() -> None:
    link = direction(Conditions(late_port=5977, late=100))
    assert link.release_at(0.0, 100, late=True) == pytest.approx(0.1)
    assert link.release_at(0.01, 100) == pytest.approx(0.01)
    tcp = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 44, 0, 0, 64, socket.IPPROTO_TCP, 0, bytes(4), bytes(4))
    assert ports_of(tcp + struct.pack("!2H", 40000, 5977)) == (40000, 5977)
    udp = tcp[:9] + bytes([socket.IPPROTO_UDP]) + tcp[10:]
    assert [ports_of(packet) for packet in (udp + struct.pack("!2H", 1, 5977), tcp, b"", bytes(40))] == [()] * 4


def test_what_lies_beyond_adds_to_what_the_link_does() -> None:
    assert direction(Conditions(delay=5, beyond_delay=20)).release_at(0.0, 100) == pytest.approx(0.025)
    link = direction(Conditions(beyond_loss=0.2))
    assert sum(link.release_at(0.0, 100) is None for _ in range(5000)) / 5000 == pytest.approx(0.2, abs=0.03)
