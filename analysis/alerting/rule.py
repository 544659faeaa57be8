"""One rule of alerting: which steps it watches, and in exactly one of four ways what is too much."""

from typing import Literal, Self

from pydantic import Field, model_validator

from collector.document import Document, Seconds
from collector.model.access import Link, Presentation
from collector.model.alert import Subject
from collector.model.layer import Layer
from collector.model.verdict import Reference

_HOUR, _DAY = 3600.0, 86400.0
Tier = Literal["warning", "critical"]


class Limit(Document):
    """What makes a run a bad one: exactly one of these."""

    seconds: Seconds | None = Field(default=None, gt=0, description="longer than this")
    times_expected: float | None = Field(default=None, gt=0, description="longer than so many times what is usual")
    times_target: float | None = Field(default=None, gt=0, description="longer than so many times its journey's target")
    failed: Literal[True] | None = Field(default=None, description="failed, timed out or dropped, however long it took")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("needs exactly one of seconds, times_expected, times_target and failed")
        return self


class RunsRule(Document):
    """Too many bad ones among the last runs; by place, then at too many places."""

    warning: Limit | None = Field(default=None, description="when a run is bad enough for a warning")
    critical: Limit | None = Field(default=None, description="when a run is bad enough to be critical")
    bad: int = Field(default=3, ge=1, description="so many bad runs (n) …")
    of: int = Field(default=5, ge=1, le=500, description="… of the last so many (m) open the alert")
    good: int | None = Field(
        default=None, ge=1, description="so many good ones end it; enough that n of m is out of reach"
    )
    good_of: int | None = Field(default=None, ge=1, le=500, description="… of the last so many; m unless told")
    failures: Literal["bad", "apart"] = Field(
        default="bad", description="a run that failed: bad for every tier, or left out of a rule about durations"
    )
    by: Literal["access", "place"] = Field(
        default="access", description="runs of an access together, or those of each endpoint by themselves"
    )
    places: int | None = Field(default=None, ge=1, description="at so many endpoints (k) before there is an alert …")
    of_places: int | None = Field(default=None, ge=1, description="… of at least so many that are heard (n)")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.warning is None and self.critical is None:
            raise ValueError("needs warning, critical or both: what makes a run a bad one")
        if self.bad > self.of:
            raise ValueError("bad must be at most of: n of the last m")
        if self.good_needed > self.good_among:
            raise ValueError("good must be at most good_of")
        if self.good_among <= self.of and self.good_needed + self.bad <= self.good_among:
            raise ValueError("good and bad must be more than good_of together, else it opens and ends at once")
        if self.of_places is not None and (self.places is None or self.places > self.of_places):
            raise ValueError("of_places needs places, which must be at most of_places: k of n")
        return self

    @property
    def good_among(self) -> int:
        """Say of how many runs the good ones are counted."""
        return self.good_of or self.of

    @property
    def good_needed(self) -> int:
        """Say how many good runs end it: one more than leaves n of m possible, unless told."""
        return self.good or max(1, min(self.good_among, self.good_among - self.bad + 2))

    def limit(self, tier: Tier) -> Limit | None:
        """Give what makes a run bad for a tier."""
        return self.warning if tier == "warning" else self.critical


class Burn(Document):
    """A speed of the error budget that is too high, over a long and a short window at once."""

    rate: float = Field(gt=0, description="so many times faster than the goal allows for the whole period")
    long: Seconds = Field(gt=0, le=14 * _DAY, description="over this long window: it matters")
    short: Seconds = Field(gt=0, description="and over this short one: it still goes on")
    tier: Tier = Field(description="what it then is")

    @model_validator(mode="after")
    def _short_is_shorter(self) -> Self:
        if self.short >= self.long:
            raise ValueError("short must be shorter than long")
        return self


_BURNS = (
    Burn(rate=14.4, long=_HOUR, short=300.0, tier="critical"),
    Burn(rate=6.0, long=6 * _HOUR, short=1800.0, tier="critical"),
    Burn(rate=1.0, long=3 * _DAY, short=6 * _HOUR, tier="warning"),
)


class BudgetRule(Document):
    """An error budget over a rolling period: it alerts by how fast the budget goes, not by single bad runs."""

    goal: float = Field(gt=0, lt=1, description="share of runs, or minutes, that have to be good: 0.99")
    above: Limit = Field(default=Limit(times_target=1.0), description="what makes a run bad, beside every failure")
    period: Seconds = Field(default=28 * _DAY, gt=0, le=92 * _DAY, description="over which the goal holds, rolling")
    unit: Literal["runs", "minutes"] = Field(
        default="runs", description="bad runs, or minutes in which half the runs or more were bad"
    )
    least: int = Field(default=10, ge=1, description="so many runs or minutes in the long window before it speaks")
    burns: tuple[Burn, ...] = Field(default=_BURNS, min_length=1, description="fast and slow burn")


class VerdictRule(Document):
    """What the analysis concluded: its statistics decide, and it names the layer."""

    slow: Tier | None = Field(default="warning", description="what an open slow verdict is; null ignores it")
    failing: Tier | None = Field(default="critical", description="what an open failing verdict is; null ignores it")
    against: tuple[Reference, ...] = Field(
        default=(Reference.EXPECTED,), min_length=1, description="held against: expected, target, reference"
    )
    layers: tuple[Layer, ...] = Field(
        default=(), description="only when one of these is blamed; any, or none, if empty"
    )
    least_share: float = Field(default=0.0, ge=0, le=1, description="with at least this share of the excess")


class SilenceRule(Document):
    """Nothing is heard: never well, never ill, and told by itself."""

    by: Literal["access", "place"] = Field(
        default="access", description="of an access of a journey, or of each endpoint"
    )


class Rule(Document):
    """Which steps are watched, and how: exactly one of ``runs``, ``budget``, ``verdict`` and ``silence``."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$", description="what it is called in messages")
    site: str | None = Field(default=None, description="only this site")
    environment: str | None = Field(default=None, description="only this environment; every one if absent")
    journey: str | None = Field(default=None, description="only this journey")
    step: str | None = Field(default=None, description="only this step")
    link: Link | None = Field(default=None, description="only this link")
    presentation: Presentation | None = Field(default=None, description="only this presentation")
    endpoint: str | None = Field(default=None, description="only this endpoint, where it is by place")
    runs: RunsRule | None = Field(default=None, description="n of the last m runs")
    budget: BudgetRule | None = Field(default=None, description="an error budget and how fast it goes")
    verdict: VerdictRule | None = Field(default=None, description="what the analysis concluded")
    silence: SilenceRule | None = Field(default=None, description="that nothing is heard")
    maintenance: Literal["count", "ignore", "show"] | None = Field(
        default=None, description="another choice than alerts.maintenance.choice"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        ways = (self.runs, self.budget, self.verdict, self.silence)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("needs exactly one of runs, budget, verdict and silence")
        return self

    def watches(self, subject: Subject) -> bool:
        """Say whether it is about this step and access; a rule about silence has no step."""
        wanted = {
            "site": subject.site,
            "environment": subject.environment,
            "journey": subject.journey,
            "link": subject.population.link,
            "presentation": subject.population.presentation,
        }
        if subject.step is not None:
            wanted["step"] = subject.step
        if subject.endpoint is not None:
            wanted["endpoint"] = subject.endpoint
        return all(getattr(self, name) in {None, value} for name, value in wanted.items())


USUAL = (
    Rule(name="verdicts", verdict=VerdictRule()),
    Rule(name="down", runs=RunsRule(critical=Limit(failed=True), bad=3, of=3, good=2, good_of=3)),
    Rule(name="silence", silence=SilenceRule()),
)
