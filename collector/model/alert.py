"""Alerts: what a rule says of one step for one access now, and the messages that tell of its changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from collector.model.access import Population
from collector.model.checks import aware
from collector.model.layer import Layer


class AlertState(StrEnum):
    """What a rule says now. Three of them are no answer to whether it is well, and none of these is ``ok``."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    STALE = "stale"  # nothing was heard: neither well nor ill
    MAINTENANCE = "maintenance"  # planned, and the rule does not count it
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"


TIERS = (AlertState.WARNING, AlertState.CRITICAL)  # mildest first
_SEVERITY = {AlertState.WARNING: 1, AlertState.CRITICAL: 2}


def severity(state: AlertState) -> int:
    """Give 2 for critical, 1 for warning, 0 for what is no tier."""
    return _SEVERITY.get(state, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about: a step, or a whole journey without one, for an access, at an endpoint if told."""

    site: str
    environment: str
    journey: str
    population: Population
    step: str | None = None
    endpoint: str | None = None

    def __str__(self) -> str:
        population = f"{self.population.link}.{self.population.presentation}"
        parts = (self.site, self.environment, self.journey, self.step or "*", population, self.endpoint or "*")
        return "/".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The numbers a state stands on; what a kind of rule does not have is None.

    ``bad`` of the last ``runs`` (or places, or budget units) where ``needed`` open the alert; ``undecided`` were left
    out: they failed or timed out below the limit, so that how long they would have taken is not known. ``seconds`` is
    the limit. ``burn`` is how many times faster than the goal allows the budget went, in the last ``long_seconds`` and
    ``short_burn`` in the last ``short_seconds``; ``budget_left`` is a share of the period's since ``counted_since``.
    """

    kind: str
    bad: int | None = None
    runs: int | None = None
    needed: int | None = None
    undecided: int = 0
    seconds: float | None = None
    limit: str | None = None
    burn: float | None = None
    short_burn: float | None = None
    long_seconds: float | None = None
    short_seconds: float | None = None
    goal: float | None = None
    unit: str | None = None
    budget_left: float | None = None
    counted_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule and one subject, now.

    ``held`` is the tier that is kept while nothing better is known: ``ok`` when none is. ``since`` is when ``state``
    began, ``opened_at`` when a tier or silence was first told of, None when nothing is open. ``told`` is what the last
    message said. ``heard_at`` is the newest run. ``counting`` names the counting rules and the choice about
    maintenance.
    """

    rule: str
    subject: Subject
    state: AlertState
    held: AlertState = AlertState.OK
    told: AlertState = AlertState.OK
    since: datetime
    at: datetime
    opened_at: datetime | None = None
    heard_at: datetime | None = None
    ground: Ground
    counting: str
    verdict_id: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None

    def __post_init__(self) -> None:
        aware("since", self.since)
        aware("at", self.at)

    @property
    def key(self) -> str:
        """Name the alert among all: there is one of a rule and subject."""
        return f"{self.rule}:{self.subject}"


class ChangeKind(StrEnum):
    """What a message tells of."""

    OPENED = "opened"
    WORSE = "worse"
    BETTER = "better"
    STALE = "stale"
    RECOVERED = "recovered"
    ENDED = "ended"  # no longer watched: the rule is gone, or nothing was heard for very long
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """A layer that is blamed for it, with its share of the excess and who answers, None where no map says."""

    layer: Layer
    component: str | None
    supplier: str | None
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert in a message: ``lines`` are plain sentences, ``url`` a page with the evidence."""

    alert: Alert
    before: AlertState
    lines: tuple[str, ...]
    url: str
    blamed: tuple[Blamed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told of one or several alerts that changed together, in words. ``thread`` is the same for one life."""

    kind: ChangeKind
    state: AlertState
    at: datetime
    title: str
    told: tuple[Told, ...]
    thread: str

    @property
    def text(self) -> str:
        """Give the whole message as plain text."""
        return "\n\n".join("\n".join([*one.lines, one.url] if one.url else one.lines) for one in self.told)


class NoticeState(StrEnum):
    """Where a message to one channel is."""

    WAITING = "waiting"
    SENDING = "sending"  # handed to the channel; what became of it is not known yet
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message on its way to one channel. ``notice_id`` goes with it, the same at every attempt.

    ``unsure`` counts attempts of which a crash left unknown whether they arrived: only these can arrive twice.
    """

    notice_id: str
    channel: str
    message: Message
    site: str
    created_at: datetime
    state: NoticeState = NoticeState.WAITING
    attempts: int = 0
    unsure: int = 0
    not_before: datetime | None = None
    settled_at: datetime | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Runs (or minutes) that one error budget counted, and the bad ones. ``budget`` names rule and subject."""

    budget: str
    start: datetime
    units: float
    bad: float


def notice_id(channel: str, message: Message) -> str:
    """Give the id of a message to a channel: the same changes give the same id, so that none is kept twice."""
    parts: list[str] = [channel, message.kind, message.state, message.at.isoformat()]
    parts += [f"{one.alert.key} {one.before}" for one in message.told]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def public(message: Message, notice: str) -> Mapping[str, object]:
    """Give a message as plain JSON values, for programs."""
    return {
        "id": notice,
        "kind": str(message.kind),
        "state": str(message.state),
        "at": message.at.isoformat(),
        "title": message.title,
        "text": message.text,
        "alerts": [_public_told(one) for one in message.told],
    }


def public_alert(alert: Alert) -> dict[str, object]:
    """Give an alert as plain JSON values; times are ISO 8601 with their zone."""
    subject = alert.subject
    times = {name: getattr(alert, name) for name in ("since", "opened_at", "heard_at", "at", "acknowledged_at")}
    return {
        "key": alert.key,
        "rule": alert.rule,
        "state": str(alert.state),
        "held": str(alert.held),
        "site": subject.site,
        "environment": subject.environment,
        "journey": subject.journey,
        "step": subject.step,
        "population": {"link": str(subject.population.link), "presentation": str(subject.population.presentation)},
        "endpoint": subject.endpoint,
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
        "acknowledged_by": alert.acknowledged_by,
        "verdict": alert.verdict_id,
        "counting": alert.counting,
    }


def _public_told(one: Told) -> Mapping[str, object]:
    blamed = [
        {
            "layer": str(part.layer),
            "component": part.component,
            "owner": part.supplier,
            "share": part.share,
            "low": part.low,
            "high": part.high,
        }
        for part in one.blamed
    ]
    said = {"before": str(one.before), "sentences": list(one.lines), "url": one.url, "layers": blamed}
    return public_alert(one.alert) | said
