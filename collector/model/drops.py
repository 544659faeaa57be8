"""How often sessions held open were lost: counts over their exposure, by what was held and from which access."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from collector.model.access import Population
from collector.model.checks import aware, finite
from collector.model.session import EndCause, Kept
from collector.model.verdict import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRate:
    """The sessions of one journey from one access in a period.

    ``rate`` is drops per 1,000 session-hours, None without exposure: nothing was held open, which is not
    zero. ``ends`` counts every end by cause, planned ones too. ``saved_work`` and ``unsaved_work`` count
    what the sentinel read back; ``at_risk_seconds`` is the longest time without a confirmed save of these.
    ``by_events`` of the ends have the cause that the machine's own log gives; ``disagreements`` of all ends are those
    where log and probe say different things, whichever was taken.
    """

    site: str
    journey: str | None
    environment: str
    population: Population
    sessions: int
    hours: float
    drops: int
    rate: Interval | None
    reconnected: int = 0
    ends: Mapping[EndCause, int] = field(default_factory=dict)
    saved_work: Mapping[Kept, int] = field(default_factory=dict)
    unsaved_work: Mapping[Kept, int] = field(default_factory=dict)
    at_risk_seconds: float | None = None
    by_events: int = 0
    disagreements: int = 0

    def __post_init__(self) -> None:
        finite("hours", self.hours, minimum=0.0)
        finite("at_risk_seconds", self.at_risk_seconds, minimum=0.0)
        if (self.rate is None) != (self.hours <= 0.0):
            raise ValueError("a rate needs exposure, and exposure has a rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """What was counted from ``snapshot`` for ``start`` to ``end``. Without ``rates`` no session was held open."""

    start: datetime
    end: datetime
    reached_at: datetime
    snapshot: int
    counting_rules: str
    rates: tuple[DropRate, ...] = ()

    def __post_init__(self) -> None:
        for name in ("start", "end", "reached_at"):
            aware(name, getattr(self, name))
