"""Business hours are those on the wall, also on the two days a year when the wall jumps."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from probes.sessions.hours import WORKING_DAYS, BusinessHours, Day, Hours

LONDON = ZoneInfo("Europe/London")


def open_minutes(hours: BusinessHours, day: datetime, length_hours: int = 24) -> int:
    minutes = (day + timedelta(minutes=minute) for minute in range(length_hours * 60))
    return sum(hours.open_at(at) for at in minutes)


@pytest.mark.parametrize(
    ("written", "day", "expected"),
    [
        ("08:00-18:00", datetime(2026, 3, 27, tzinfo=UTC), 600),  # Friday in winter
        ("08:00-18:00", datetime(2026, 3, 29, 0, tzinfo=UTC), 600),  # the clock goes forward
        ("00:00-24:00", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), 24 * 60),
        ("00:30-03:00", datetime(2026, 3, 28, 12, tzinfo=UTC), 90),  # one hour of these does not happen
        ("00:30-03:00", datetime(2026, 10, 24, 12, tzinfo=UTC), 210),  # one happens twice
        ("22:00-06:00", datetime(2026, 6, 1, 11, tzinfo=UTC), 480),
    ],
)
def test_hours_are_those_on_the_wall(written: str, day: datetime, expected: int) -> None:
    hours = BusinessHours(Hours.read(written), frozenset(Day), LONDON)
    assert open_minutes(hours, day) == expected


def test_a_night_belongs_to_the_day_it_began_on() -> None:
    nights = BusinessHours(Hours.read("22:00-06:00"), frozenset({Day.FRI}), UTC)
    assert nights.open_at(datetime(2026, 6, 6, 5, 59, tzinfo=UTC))  # Saturday morning
    assert not nights.open_at(datetime(2026, 6, 5, 5, 59, tzinfo=UTC))
    weekdays = BusinessHours(Hours.read("08:00-18:00"), frozenset(WORKING_DAYS), UTC)
    assert not weekdays.open_at(datetime(2026, 6, 6, 12, tzinfo=UTC))


@pytest.mark.parametrize("written", ["8-18", "08:00", "18:00-18:00", "24:00-08:00", "08:00-24:30", "08:61-09:00"])
def test_what_is_no_time_of_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"write 08:00-18:00|must begin"):
        Hours.read(written)
