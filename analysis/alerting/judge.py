"""States out of sightings: one rule, one subject, what was said before. Pure.

What was not measured is never ``ok``: without a run a tier that is open stays open, and nothing becomes well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analysis.alerting.rule import Rule, VerdictRule
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Heard, Sighting
from analysis.counting import RULES
from collector.model.alert import Alert, AlertState, Ground, Subject, severity
from collector.model.verdict import Reference, Status, Verdict

_BAD = {Status.SLOW, Status.FAILING}
NOTHING = Ground(kind="nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is known of one subject at one time."""

    at: datetime
    heard: Heard | None
    sighting: Sighting | None
    planned: bool  # maintenance is on
    patience: timedelta  # how long it may be silent
    verdict: Verdict | None = None  # the open slow or failing one of the same step and access


def judged(rule: Rule, subject: Subject, now: Now, before: Alert | None, settings: AlertSettings) -> Alert:
    """Say what a rule says of a subject now; ``told`` stays as it was, for ``told_of`` to change."""
    last = _latest(now.heard, before)
    stale = last is None or now.at - last > now.patience
    choice = rule.maintenance or settings.maintenance.choice
    resting = now.planned and choice != "count"
    kept = before.held if before else AlertState.OK
    unmoved = stale or (resting and choice == "ignore") or now.sighting is None
    held = kept if unmoved or now.sighting is None else _held(now.sighting, kept)
    state = _state(rule, now.sighting, held, stale=stale, resting=resting)
    ground = now.sighting.ground if now.sighting and not unmoved else before.ground if before else NOTHING
    alert = Alert(
        rule=rule.name,
        subject=subject,
        state=state,
        held=held,
        since=_since(rule, state, before, now, last),
        at=now.at,
        heard_at=last,
        ground=Ground(kind="silence") if rule.silence else ground,
        counting=f"counting rules {RULES.version}, maintenance: {choice}",
        verdict_id=now.verdict.id if now.verdict else None,
    )
    if before is None:
        return alert
    return replace(
        alert,
        told=before.told,
        opened_at=before.opened_at,
        acknowledged_by=before.acknowledged_by,
        acknowledged_at=before.acknowledged_at,
        verdict_id=alert.verdict_id or (before.verdict_id if before.opened_at else None),
    )


def audible(alert: Alert, rule: Rule) -> AlertState:
    """Give what a message would say now: what is neither a tier nor well leaves the last word as it is.

    Silence is told by rules about it, and by others when they had told of something that nobody can see the end of.
    """
    if alert.state is AlertState.OK or severity(alert.state):
        return alert.state
    if alert.state is AlertState.STALE and (rule.silence or alert.told is not AlertState.OK):
        return AlertState.STALE
    return alert.told


def of_verdicts(
    rule: Rule, wanted: VerdictRule, subject: Subject, verdicts: Sequence[Verdict]
) -> tuple[Sighting | None, Verdict | None]:
    """Give what the conclusions of this analysis say to a rule of one subject, and the verdict that says it."""
    mine = [one for one in verdicts if one.against in wanted.against and (one.open or one.status not in _BAD)]
    bad = [one for one in mine if one.open and _tier(wanted, one) is not AlertState.OK]
    worst = max(bad, key=lambda one: (severity(_tier(wanted, one)), one.id), default=None)
    if not mine:
        return None, None
    unsure = all(one.status is Status.NOT_ENOUGH_EVIDENCE for one in mine)
    sighting = Sighting(
        rule=rule.name,
        subject=subject,
        fires=_tier(wanted, worst) if worst else AlertState.OK,
        holds=AlertState.CRITICAL if unsure else AlertState.OK,
        enough=not unsure,
        ground=Ground(kind="verdict", runs=(worst or mine[0]).runs),
    )
    return sighting, worst


def open_verdict(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Give the open slow or failing verdict of a step and access that people want to see first."""
    bad = [one for one in verdicts if one.open and one.status in _BAD]
    order = list(Reference)
    return min(bad, key=lambda one: (one.status is not Status.FAILING, order.index(one.against), one.id), default=None)


def by_subject(verdicts: Sequence[Verdict]) -> Mapping[Subject, Sequence[Verdict]]:
    """Arrange verdicts by the step and access they speak about."""
    found: dict[Subject, list[Verdict]] = {}
    for one in verdicts:
        subject = Subject(
            site=one.site,
            environment=one.environment,
            journey=one.journey,
            population=one.population,
            step=one.step,
        )
        found.setdefault(subject, []).append(one)
    return found


def _tier(wanted: VerdictRule, verdict: Verdict) -> AlertState:
    named = {Status.SLOW: wanted.slow, Status.FAILING: wanted.failing}.get(verdict.status)
    if named is None:
        return AlertState.OK
    shares = [part.share for part in verdict.blamed if not wanted.layers or part.layer in wanted.layers]
    if (wanted.layers or wanted.least_share) and max(shares, default=-1.0) < wanted.least_share:
        return AlertState.OK
    return AlertState(named)


def _held(sighting: Sighting, kept: AlertState) -> AlertState:
    """Give the worst of what fires, and of what was open and has not ended yet."""
    still = min(sighting.holds, kept, key=severity)
    return max(sighting.fires, still, key=severity) if severity(still) else sighting.fires


def _state(rule: Rule, sighting: Sighting | None, held: AlertState, *, stale: bool, resting: bool) -> AlertState:
    if resting:
        return AlertState.MAINTENANCE
    if stale:
        return AlertState.STALE
    if rule.silence:
        return AlertState.OK
    if severity(held):
        return held
    return AlertState.OK if sighting is not None and sighting.enough else AlertState.NOT_ENOUGH_EVIDENCE


def _latest(heard: Heard | None, before: Alert | None) -> datetime | None:
    known = [at for at in (heard.last if heard else None, before.heard_at if before else None) if at is not None]
    return max(known, default=None)


def _since(rule: Rule, state: AlertState, before: Alert | None, now: Now, last: datetime | None) -> datetime:
    if before is not None and before.state is state:
        return before.since
    if state is AlertState.STALE and last is not None:
        return last
    if severity(state) and rule.verdict and now.verdict is not None:
        return min(now.verdict.start, now.at)
    return now.at
