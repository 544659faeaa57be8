"""What rules see in one window: the part of alerting that needs the runs, worked out beside the analysis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.alerting.rule import Rule
from collector.model.alert import AlertState, Ground, Subject, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a subject was heard last, and how often it usually is: the median distance of its slots, in seconds."""

    last: datetime
    interval: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the runs say to one rule of one subject.

    ``fires`` is the tier whose condition to open is met, ``holds`` the one whose condition to end is not met yet, each
    ``ok`` when there is none. ``enough`` says that nothing is open is not for want of runs.
    """

    rule: str
    subject: Subject
    fires: AlertState
    holds: AlertState
    enough: bool
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a budget counted since ``Seen.cut``: per window its seconds, units and bad units; and by quarter hour."""

    rule: Rule
    subject: Subject
    name: str
    windows: Mapping[float, tuple[float, float]]
    quarters: Sequence[Tally]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything of one window. Before ``cut`` the single runs were not read."""

    cut: datetime
    heard: Mapping[Subject, Heard]
    sightings: Sequence[Sighting]
    spent: Sequence[Spent]
