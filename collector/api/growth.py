"""Counters that come value by value, into rates and ratios: remembers what each was the last few times.

Kept in the collector and not in its worker processes: any of these may get the next body. A body that comes again
gives the same rows again, because of a series the points of several moments are known, and who completed which.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

import pyarrow as pa

from collector.api.remote_write_decode import Point
from collector.api.translation import Meaning, Part
from collector.mapping import How
from collector.tables import SAMPLES, naive

_MOST_SERIES = 50_000
_MOST_MOMENTS = 6
_LONGEST_GAP = 3_600_000_000  # microseconds: after that a counter begins anew


@dataclass(slots=True)
class _Moment:
    above: float | None = None
    below: float | None = None
    told_by: str = ""


@dataclass(slots=True)
class _Known:
    moments: dict[int, _Moment] = field(default_factory=dict)


class Growth:
    """The last points of each counter of each sender, the least recently heard forgotten first. Safe for threads."""

    def __init__(self, most: int = _MOST_SERIES) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, bytes], _Known] = OrderedDict()

    def rows(self, site: str, sender: str, body: str, points: Sequence[Point]) -> tuple[pa.Table, list[Meaning]]:
        """Give the samples that the points of ``body`` (its digest) complete, and what counters were reset.

        A counter that fell was reset: what it had grown before is not known, so there is no sample of that time.
        """
        resets: list[Meaning] = []
        with self._lock:
            found = [row for point in points for row in self._row(sender, body, point, resets)]
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return pa.Table.from_pylist([{"site": site} | row for row in found], SAMPLES), resets

    def _row(self, sender: str, body: str, point: Point, resets: list[Meaning]) -> Iterator[dict[str, object]]:
        key = (sender, point.part.key)
        known = self._known.setdefault(key, _Known())
        self._known.move_to_end(key)
        now = known.moments.setdefault(point.at, _Moment())
        if point.part.below:
            now.below = point.value
        else:
            now.above = point.value
        if not point.part.divided:
            now.below = point.at / 1e6
        if now.above is not None and now.below is not None and now.told_by in {"", body}:
            now.told_by = body
            quotient, seconds = _quotient(point, known.moments, resets)
            if quotient is not None:
                yield _told(point.part, point.at, quotient, seconds)
        while len(known.moments) > _MOST_MOMENTS:
            del known.moments[min(known.moments)]


def _quotient(point: Point, moments: dict[int, _Moment], resets: list[Meaning]) -> tuple[float | None, float | None]:
    """Divide what grew by what it grew with, since the moment before; give it and the seconds between."""
    now = moments[point.at]
    if now.above is None or now.below is None:
        return None, None
    if point.part.how is How.GAUGE:
        return (now.above / now.below if now.below else None), None
    before = _before(point.at, moments)
    if before is None:
        return None, None
    above, below = moments[before].above or 0.0, moments[before].below or 0.0
    seconds = (point.at - before) / 1e6
    of_all = point.part.how is How.RATE and point.part.divided  # of what there is altogether now, which is no counter
    if now.above < above or (now.below < below and not of_all):
        resets.append(point.part.meaning)
        return None, None
    with_it = now.below * seconds if of_all else now.below - below
    return ((now.above - above) / with_it if with_it else None), seconds


def _before(at: int, moments: dict[int, _Moment]) -> int | None:
    """Give the moment before that is complete and not too long ago."""
    earlier = [one for one, known in moments.items() if one < at and None not in (known.above, known.below)]
    before = max(earlier, default=None)
    return None if before is None or at - before > _LONGEST_GAP else before


def _told(part: Part, at: int, quotient: float, seconds: float | None) -> dict[str, object]:
    meaning = part.meaning
    value = quotient * meaning.factor
    return {
        "at": naive(datetime.fromtimestamp(at / 1e6, UTC)),
        "component": meaning.component,
        "layer": meaning.layer,
        "metric": meaning.metric,
        "value": 1.0 - value if meaning.one_minus else value,
        "period_seconds": seconds,
        "labels": meaning.labels,
    }
