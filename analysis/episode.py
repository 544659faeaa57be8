"""A stretch of time in which one step was slow or failing for one population."""

from dataclasses import dataclass
from datetime import datetime

from collector.model.access import Population
from collector.model.verdict import Interval, Reference, Rung, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What attribution has to explain: runs with ``start <= slot <= end``.

    ``baseline_start`` to ``baseline_end`` is the quiet time it is compared with, None when there is
    none (slow since the first run); ``excluded`` are spans inside it that were not quiet, as seen
    from any access. ``vantage`` is the access whose runs in the same slots are compared instead,
    when the excess is counted against the best vantage. ``standstill`` is set where the step stood
    still now and then: the seconds beyond which a run did. Only those runs, ``stood`` of them, are
    what is to be explained then. ``measured`` and ``expected`` are None when nothing was ever timed
    (failing since the first run).
    """

    site: str
    journey: str
    step: str
    population: Population
    environment: str
    status: Status
    against: Reference
    rung: Rung
    start: datetime
    end: datetime
    open: bool
    runs: int
    censored: int
    measured: Interval | None
    expected: Interval | None
    excess_seconds: Interval | None
    excess_rate: Interval | None
    baseline_start: datetime | None
    baseline_end: datetime | None
    excluded: tuple[tuple[datetime, datetime], ...] = ()
    vantage: Population | None = None
    standstill: float | None = None
    stood: int | None = None
