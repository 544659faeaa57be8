"""When maintenance is planned: weekly windows in local time, and declared changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analysis.alerting.settings import Maintenance, Weekly
from analysis.series import Bools, Times, stamp
from collector.model.alert import Subject
from collector.model.change import Change

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One time of maintenance, of a site and journey, or of all where None."""

    start: datetime
    end: datetime
    site: str | None
    journey: str | None = None

    def concerns(self, subject: Subject) -> bool:
        """Say whether a subject is under it."""
        return self.site in {None, subject.site} and self.journey in {None, subject.journey}


def spans(planned: Maintenance, changes: Sequence[Change], start: datetime, end: datetime) -> list[Span]:
    """Give every time of maintenance that overlaps ``start`` to ``end``; a change under way lasts until ``end``."""
    found = [span for weekly in planned.weekly for span in _weekly(weekly, start, end)]
    declared = [one for one in changes if one.maintenance and one.start < end and (one.end is None or one.end > start)]
    return found + [Span(start=one.start, end=one.end or end + _DAY, site=one.site) for one in declared]


def inside(slots: Times, under: Sequence[Span]) -> Bools:
    """Say which slots lie in any of these times."""
    found = np.zeros(len(slots), dtype=bool)
    for span in under:
        found |= (slots >= stamp(span.start)) & (slots < stamp(span.end))
    return found


def _weekly(weekly: Weekly, start: datetime, end: datetime) -> Iterator[Span]:
    zone = ZoneInfo(weekly.zone)
    day = start.astimezone(zone).date() - _DAY
    while day <= end.astimezone(zone).date():
        if _DAYS[day.weekday()] in weekly.days:
            begin = datetime.combine(day, weekly.start, zone).astimezone(UTC)
            last = day if weekly.end > weekly.start else day + _DAY
            until = datetime.combine(last, weekly.end, zone).astimezone(UTC)
            if begin < end and until > start:
                yield Span(start=begin, end=until, site=weekly.site, journey=weekly.journey)
        day += _DAY
