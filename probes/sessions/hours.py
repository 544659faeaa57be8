"""Business hours: when a session is held open, by the clock on the wall of this endpoint.

Only ever asked "is it open at this instant?": the instant is taken to local time first, so that the
hour that happens twice in autumn and the one that is missing in spring need no rule of their own.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

_WRITTEN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)")
_MINUTES_OF_A_DAY = 24 * 60


class Day(StrEnum):
    """A day of the week, as files write it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WORKING_DAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``start`` to ``end`` in minutes of the day; an end that is not later lies on the next day."""

    start: int
    end: int

    @classmethod
    def read(cls, written: str) -> "Hours":
        """Read ``08:00-18:00``. Raises ValueError that shows how to write them."""
        match = _WRITTEN.fullmatch(written.strip())
        if match is None:
            raise ValueError("is not a time of day to another: write 08:00-18:00, or 00:00-24:00 for always")
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if start >= _MINUTES_OF_A_DAY or end > _MINUTES_OF_A_DAY or start == end:
            raise ValueError("must begin before 24:00, end by 24:00, and not be empty")
        return cls(start, end)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Hours on days; ``zone`` None is this machine's, with summer time as it is at each instant."""

    hours: Hours
    days: frozenset[Day]
    zone: tzinfo | None = None

    def open_at(self, at: datetime) -> bool:
        """Say whether ``at`` (aware) lies within them."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        start, end = self.hours.start, self.hours.end
        if start < end:
            return start <= minute < end and self._day(local) in self.days
        if minute >= start:
            return self._day(local) in self.days
        return minute < end and self._day(local - timedelta(days=1)) in self.days

    @staticmethod
    def _day(local: datetime) -> Day:
        return tuple(Day)[local.weekday()]
