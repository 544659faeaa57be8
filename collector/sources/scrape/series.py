"""Series of one page as samples: by mappings, with what grew since the page before, put together by component.

The same values that Prometheus makes of the same exporter (``collector/sources/prometheus.py`` writes them as PromQL),
but for two: a rate needs two pages and no window, and a counter that fell was reset: of that time nothing is known, so
its component has no value, while Prometheus takes it to have begun at 0.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collector.mapping import How, MetricMapping, Row
from collector.sources.scrape.page import Labels, Page, Point

_NOTHING: Mapping[Labels, Point] = {}
Name = Callable[[Row, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a row says of one component, in the catalogue's unit. ``seconds`` is what a rate or a ratio covers."""

    row: Row
    component: str
    value: float
    at: float
    seconds: float | None


@dataclass(slots=True)
class _Together:
    """Series of one component, put together."""

    total: float = 0.0
    count: int = 0
    at: float = 0.0
    seconds: float = 0.0

    def add(self, value: float, at: float, seconds: float) -> None:
        self.total += value
        self.count += 1
        self.at = max(self.at, at)
        self.seconds = max(self.seconds, seconds)


def values(mapping: MetricMapping, page: Page, before: Page, name: Name) -> Iterator[Value]:
    """Give what each row says of each component; ``name`` names the component of a series by its labels."""
    for row in mapping.rows:
        reading, other = _Reading(row, page, before, name), row.per or row.over
        below = {} if other is None else reading.of(other, grown=row.per is not None)
        for component, found in reading.of(row.name, grown=row.how is not How.GAUGE).items():
            value = (_mean(row, found) if other is None else _quotient(found, below.get(component))) * row.factor
            if math.isfinite(value):
                value = 1.0 - value if row.one_minus else value
                seconds = row.period if row.how is How.GAUGE else found.seconds
                yield Value(row=row, component=component, value=value, at=found.at, seconds=seconds)


def _mean(row: Row, found: _Together) -> float:
    return found.total / found.count if row.is_mean else found.total


def _quotient(found: _Together, below: _Together | None) -> float:
    """Divide; NaN where there is nothing to divide by."""
    return math.nan if below is None or not below.total else found.total / below.total


@dataclass(slots=True)
class _Reading:
    """One row of a mapping, read from a page and the one before."""

    row: Row
    page: Page
    before: Page
    name: Name

    def of(self, metric: str, *, grown: bool) -> dict[str, _Together]:
        """Put the series of a metric together: what it is, or what it grew by (NaN where a counter fell)."""
        found: dict[str, _Together] = {}
        earlier = self.before.get(metric, _NOTHING)
        for labels, point in self.page.get(metric, _NOTHING).items():
            known, told = earlier.get(labels), dict(labels)
            if known is not None and known.at >= point.at:  # the exporter repeats an old value and says so
                continue
            if any(told.get(label) != wanted for label, wanted in self.row.where.items()):
                continue
            value, seconds = point.value, 0.0
            if grown:
                if known is None:
                    continue
                seconds = point.at - known.at
                value = _growth(known, point) / (seconds if self.row.how is How.RATE else 1.0)
            found.setdefault(self.name(self.row, told), _Together()).add(value, point.at, seconds)
        return found


def _growth(known: Point, point: Point) -> float:
    return point.value - known.value if point.value >= known.value else math.nan
