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
    earlier = [at for at, one in moments.items() if at < point.at and one.above is not None and one.below is not None]
    before = max(earlier, default=None)
    if before is None or point.at - before > _LONGEST_GAP:
        return None, None
    above, below = moments[before].above or 0.0, moments[before].below or 0.0
    if now.above < above or now.below < below:
        resets.append(point.part.meaning)
        return None, None
    if now.below == below:
        return None, None
    return (now.above - above) / (now.below - below), (point.at - before) / 1e6


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
