"""Conclusions: one method's finding about one layer, and the verdict that ranks them.

Both are self-contained: a page, a report or a Grafana board can show them without computing
anything, so no two of them can disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from collector.model.access import Population
from collector.model.checks import aware, finite
from collector.model.layer import Layer

Setting = bool | int | float


class Status(StrEnum):
    """What can be said of one journey step for one population in one window."""

    SLOW = "slow"
    FAILING = "failing"
    NORMAL = "normal"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"


class Reference(StrEnum):
    """What excess is counted above."""

    EXPECTED = "expected"  # learned
    TARGET = "target"  # declared in the journey
    REFERENCE = "reference"  # the best vantage in the same slots


class Rung(StrEnum):
    """How much history the expectation stands on, weakest first."""

    NONE = "none"
    SAME_SLOT = "same_slot"  # contrast with the other accesses, from the first hour
    POOLED = "pooled"  # first day
    HOUR_OF_DAY = "hour_of_day"  # first week
    HOUR_OF_WEEK = "hour_of_week"  # fourth week


class LayerState(StrEnum):
    """Three kinds of nothing are never mixed: cleared, inconclusive and not measured."""

    BLAMED = "blamed"
    CLEARED = "cleared"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its interval at ``level``."""

    estimate: float
    low: float
    high: float
    level: float = 0.9

    def __post_init__(self) -> None:
        for name in ("estimate", "low", "high", "level"):
            finite(name, getattr(self, name))
        if not self.low <= self.estimate <= self.high:
            raise ValueError("an estimate lies inside its interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodUse:
    """A method and its version: the same data and version give the same conclusion."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason, in words and in numbers, with the data it was drawn from.

    ``source`` says which rows: a metric and component, or a phase of the step. ``before`` and
    ``during`` are in ``unit``. ``supports`` is False for evidence against blame.
    """

    rule: str
    text: str
    supports: bool
    source: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    before: float | None = None
    during: float | None = None
    runs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One method's statement about one layer: how many seconds of the excess, and why.

    ``seconds`` is None when the method speaks for or against a layer without measuring a part of
    the excess (an infrastructure sample beside the journey does that). ``among`` names every layer
    the measured part may belong to, this one included, when the method cannot tell them apart.
    """

    method: MethodUse
    layer: Layer
    state: LayerState
    seconds: Interval | None = None
    component: str | None = None
    evidence: tuple[Evidence, ...] = ()
    among: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVerdict:
    """What the verdict says of one layer. ``share`` is of the excess, 0 to 1.

    ``supplier`` is who answered for the component, or for the whole layer, when it began; None where no map says.
    """

    layer: Layer
    component: str | None
    state: LayerState
    share: float
    low: float
    high: float
    evidence_for: tuple[Evidence, ...] = ()
    evidence_against: tuple[Evidence, ...] = ()
    supplier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of the excess with its interval, 0 to 1."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which runs of the step were slow or failed: ``bad`` of the ``runs`` that have all of ``attributes``.

    Of the other runs of the step in the same time, of any site and access, ``bad_elsewhere`` of ``runs_elsewhere``.
    """

    attributes: Mapping[str, str]
    bad: int
    runs: int
    bad_elsewhere: int
    runs_elsewhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of one journey step for one population in one window, and on what ground.

    ``layers`` holds every layer: blamed by share, then the rest. ``excess_seconds`` belongs to
    ``slow``, ``excess_rate`` (failures per run) to ``failing``. ``expected`` is the band the step
    was held against, in seconds. ``snapshot`` is the store's version the facts were read from,
    ``digest`` a SHA-256 over the window's facts.

    ``at_least`` says that the median of ``measured`` fell among timeouts, ``excess_at_least`` that
    timeouts entered the excess: both are then lower bounds. ``facts_start`` to ``facts_end`` is the
    window that was analysed and ``facts_since`` how far back single runs were read: with the
    snapshot, all that is needed to read the same facts again. ``estate`` is the digest of the map of
    the estate in force then, None when there was none. ``evidence_removed`` is when the facts of its site were
    removed for good: what was concluded stays, its reasons and the names of site and components went with them.
    ``where`` is None when no set of runs stands out. ``stood`` is set where the step only stood still now and then: so
    many of the ``runs`` did, and measured excess and shares are theirs.

    ``changed`` says why this version differs from the one before. ``merged_into`` is the id of the verdict that goes on
    with this episode: late facts closed the gap between the two. ``settings`` are those that shaped it, ``made_with``
    the versions of what computed it; None in verdicts of before these were kept.
    """

    id: str
    version: int = 1
    site: str
    status: Status
    against: Reference
    rung: Rung
    journey: str
    step: str
    population: Population
    environment: str = "live"
    start: datetime
    end: datetime
    open: bool = False
    runs: int
    censored: int = 0
    stood: int | None = None
    measured: Interval | None = None
    expected: Interval | None = None
    excess_seconds: Interval | None = None
    excess_rate: Interval | None = None
    at_least: bool = False
    excess_at_least: bool = False
    layers: tuple[LayerVerdict, ...] = ()
    unexplained: Share | None = None
    inseparable: tuple[tuple[Layer, ...], ...] = ()
    data_quality: tuple[str, ...] = ()
    methods: tuple[MethodUse, ...] = ()
    counting_rules: str
    snapshot: int
    digest: str
    reached_at: datetime
    facts_start: datetime | None = None
    facts_end: datetime | None = None
    facts_since: datetime | None = None
    estate: str | None = None
    evidence_removed: datetime | None = None
    where: Where | None = None
    changed: tuple[str, ...] = ()
    merged_into: str | None = None
    settings: Mapping[str, Setting] | None = None
    made_with: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        aware("start", self.start)
        aware("end", self.end)
        aware("reached_at", self.reached_at)

    def without_evidence(self, name: str, at: datetime) -> "Verdict":
        """Give what stays when the facts were removed at ``at``; ``name`` stands for the site from then on."""
        layers = tuple(
            replace(layer, component=None, supplier=None, evidence_for=(), evidence_against=()) for layer in self.layers
        )
        return replace(self, site=name, layers=layers, data_quality=(), estate=None, where=None, evidence_removed=at)

    @property
    def blamed(self) -> tuple[LayerVerdict, ...]:
        """Give the blamed layers, largest share first."""
        return tuple(layer for layer in self.layers if layer.state is LayerState.BLAMED)
