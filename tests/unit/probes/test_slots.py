"""Slots come from the clock alone: every endpoint finds the same ones, and none twice."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from probes.agent.slots import STAGGER_MOST, STAGGER_SHARE, Slots, stagger

MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INTERVALS = st.sampled_from([1.0, 5.0, 7.5, 60.0, 300.0, 3600.0])


@given(MOMENTS, INTERVALS, st.text(min_size=1, max_size=20))
def test_a_start_lies_in_its_slot_and_the_next_is_one_interval_later(now: datetime, every: float, name: str) -> None:
    slots = Slots(every, stagger(name, every))
    start = slots.next_start(now)
    assert now < start <= now + timedelta(seconds=every)
    slot = slots.at(start)
    assert (slot - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(seconds=every) == timedelta(0)
    assert start - slot == timedelta(seconds=slots.offset)
    assert slots.next_start(start) - start == timedelta(seconds=every)


@given(INTERVALS, st.text(max_size=30))
def test_the_stagger_is_small_and_always_the_same(every: float, name: str) -> None:
    delay = stagger(name, every)
    assert 0 <= delay <= min(every * STAGGER_SHARE, STAGGER_MOST)
    assert delay == stagger(name, every)


def test_endpoints_do_not_all_start_at_once_and_share_the_slot() -> None:
    every, now = 300.0, datetime(2026, 11, 23, 9, 31, tzinfo=UTC)
    slots = [Slots(every, stagger(f"desk-{number}", every)) for number in range(50)]
    starts = [one.next_start(now) for one in slots]
    assert len(set(starts)) > 45
    assert {one.at(start) for one, start in zip(slots, starts, strict=True)} == {
        datetime(2026, 11, 23, 9, 35, tzinfo=UTC)
    }


def test_a_clock_set_back_a_little_keeps_the_slot() -> None:
    slots = Slots(60.0, 3.0)
    start = datetime(2026, 11, 23, 9, 35, 3, tzinfo=UTC)
    assert slots.at(start - timedelta(milliseconds=200)) == datetime(2026, 11, 23, 9, 35, tzinfo=UTC)


def test_the_zone_of_the_clock_changes_nothing() -> None:
    london = datetime(2026, 10, 25, 1, 30, tzinfo=timezone(timedelta(hours=1)))
    assert Slots(300.0).at(london) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_missed_slots_are_counted() -> None:
    slots, first = Slots(60.0), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    counted = [slots.between(first, first + timedelta(minutes=minutes)) for minutes in (1, 2, 5)]
    assert counted == [0, 1, 4]
