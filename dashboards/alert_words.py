"""Alerts in plain sentences: for messages, the page and the command line."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, urlencode

from collector.model.access import Link, Population, Presentation
from collector.model.alert import (
    Alert,
    AlertState,
    Blamed,
    ChangeKind,
    Ground,
    Message,
    Notice,
    NoticeState,
    Subject,
    Told,
)
from collector.model.verdict import Status, Verdict
from dashboards import quantity, wording
from dashboards.clock import Clock, utc

STATE: Mapping[AlertState, str] = {
    AlertState.CRITICAL: "critical",
    AlertState.WARNING: "warning",
    AlertState.STALE: "stale",
    AlertState.MAINTENANCE: "maintenance",
    AlertState.NOT_ENOUGH_EVIDENCE: "not enough evidence",
    AlertState.OK: "ok",
}
DELIVERY: Mapping[NoticeState, str] = {
    NoticeState.WAITING: "waiting",
    NoticeState.SENDING: "being sent",
    NoticeState.SENT: "sent",
    NoticeState.GIVEN_UP: "given up",
}
NOTHING = "No rule has said anything yet."
WHAT_TO_DO = (
    "Say who is told: add `alerts:` with `to:` to whichlayer.yaml and start whichlayer up again. The usual rules then "
    "hold; docs/alerts.md shows others."
)
_LIMIT = {
    "seconds": "took longer than {}",
    "times_expected": "took longer than {}, the limit from what is usual,",
    "times_target": "took longer than {}, the limit from the target,",
    "failed": "failed, timed out or were dropped",
}
_ORDER = list(STATE)
_AROUND = timedelta(hours=1)
_NOBODY = Population(link=Link.UNKNOWN, presentation=Presentation.UNKNOWN)
Changed = tuple[Alert, AlertState, Verdict | None]  # the alert, its word before, and the verdict beside it


def order(alert: Alert) -> tuple[int, str]:
    """Give the order in which alerts are shown: critical first, ok last."""
    return _ORDER.index(alert.state), alert.key


def about(subject: Subject) -> str:
    """Name what an alert is about: "saving in case-record over WiFi"."""
    what = (
        wording.doing(subject.journey, subject.step, subject.population)
        if subject.step
        else f"{subject.journey} by {wording.access(subject.population)}"
    )
    where = f" at {subject.endpoint}" if subject.endpoint else ""
    environment = f" ({subject.environment} environment)" if subject.environment != "live" else ""
    return f"{what}{where}{environment}, {subject.site}"


def ground(alert: Alert, clock: Clock | None = None) -> str:
    """Say on what numbers a state stands; empty where the verdict says it."""
    if alert.state is AlertState.STALE:
        heard = (clock or Clock()).short(alert.heard_at, near=alert.at) if alert.heard_at else None
        since = f"Nothing was heard since {heard}" if heard else "Nothing was ever heard"
        held = f"; it was {STATE[alert.held]} then" if alert.held is not AlertState.OK else ""
        return f"{since}: whether it is well is not known{held}."
    words = {"runs": _runs, "places": _places, "budget": _budget}.get(alert.ground.kind)
    return words(alert) if words else ""


def delivery(notice: Notice) -> str:
    """Say what became of a message."""
    said = DELIVERY[notice.state]
    if notice.state is NoticeState.WAITING and notice.attempts:
        said = f"waiting after {notice.attempts} attempt{'s' * (notice.attempts > 1)}"
    remark = f": {notice.remark}" if notice.remark else ""
    twice = "; it may have come twice, under one id" if notice.unsure else ""
    return f"{said}{remark}{twice}"


def message(
    kind: ChangeKind,
    state: AlertState,
    turns: Sequence[Changed],
    at: datetime,
    *,
    address: str,
    clock: Clock | None = None,
) -> Message:
    """Write one message about alerts that changed together. ``address`` is where the pages are."""
    times = clock or Clock()
    told = tuple(_told(kind, state, turn, address, times) for turn in turns)
    more = f" and {len(turns) - 1} more" if len(turns) > 1 else ""
    title = f"[{_heading(kind, state)}] {about(turns[0][0].subject)}{more}"
    return Message(kind=kind, state=state, at=at, title=title, told=told, thread=_thread(turns[0][0]))


def trial(channel: str, at: datetime) -> Message:
    """Write what ``whichlayer alerts test`` sends."""
    line = f"This is a test of the channel {channel}. Nothing is wrong, and nothing has to be done."
    nothing = Alert(
        rule="test",
        subject=Subject(site="test", environment="test", journey="test", population=_NOBODY),
        state=AlertState.OK,
        since=at,
        at=at,
        ground=Ground(kind="nothing"),
        counting="",
    )
    told = Told(alert=nothing, before=AlertState.OK, lines=(line,), url="")
    title = f"[test] whichlayer can reach you by {channel}"
    return Message(
        kind=ChangeKind.TEST, state=AlertState.OK, at=at, title=title, told=(told,), thread=f"test-{channel}"
    )


def _told(kind: ChangeKind, state: AlertState, turn: Changed, address: str, clock: Clock) -> Told:
    alert, before, verdict = turn
    lines = [f"{_start(about(alert.subject))}: {_change(kind, state, alert, before, clock)}"]
    lines += _reasons(kind, alert, verdict, clock)
    lines.append(f"Rule {alert.rule}, {alert.counting}.")
    blamed = tuple(
        Blamed(
            layer=part.layer,
            component=part.component,
            supplier=part.supplier,
            share=part.share,
            low=part.low,
            high=part.high,
        )
        for part in (verdict.blamed if verdict else ())
    )
    return Told(alert=alert, before=before, lines=tuple(lines), url=link(address, alert, verdict), blamed=blamed)


def _reasons(kind: ChangeKind, alert: Alert, verdict: Verdict | None, clock: Clock) -> list[str]:
    """Say the evidence, and of what is wrong the verdict with its layers and who answers for them."""
    found = [ground(alert, clock)] if kind is not ChangeKind.ENDED else []
    if verdict is not None and kind not in {ChangeKind.RECOVERED, ChangeKind.ENDED}:
        found.append(wording.sentence(verdict, clock))
        found += [f"{_start(name)} answers for {_layer(verdict, index)}." for index, name in _owners(verdict)]
        where = wording.where(verdict)
        found += [where] if where else []
    return [line for line in found if line]


def _owners(verdict: Verdict) -> list[tuple[int, str]]:
    return [(index, part.supplier) for index, part in enumerate(verdict.blamed) if part.supplier]


def _layer(verdict: Verdict, index: int) -> str:
    part = verdict.blamed[index]
    return wording.layer(part.layer, link=verdict.population.link, component=part.component)


def link(address: str, alert: Alert, verdict: Verdict | None) -> str:
    """Give the page that shows most of it: the verdict, else the facts around it."""
    if verdict is not None and verdict.status in {Status.SLOW, Status.FAILING}:
        return f"{address}/why/{quote(verdict.id, safe='')}"
    if alert.subject.step is None:
        return f"{address}/alerts"
    subject = alert.subject
    asked = {
        "site": subject.site,
        "journey": subject.journey,
        "step": subject.step,
        "environment": subject.environment,
        "link": str(subject.population.link),
        "presentation": str(subject.population.presentation),
        "start": utc(min(alert.since, alert.at - _AROUND)),
        "end": utc(alert.at),
    }
    return f"{address}/why?{urlencode(asked)}"


def _heading(kind: ChangeKind, state: AlertState) -> str:
    if kind is ChangeKind.RECOVERED:
        return "recovered"
    return "no longer watched" if kind is ChangeKind.ENDED else STATE[state]


def _change(kind: ChangeKind, state: AlertState, alert: Alert, before: AlertState, clock: Clock) -> str:
    since = clock.short(alert.since, near=alert.at)
    if kind is ChangeKind.RECOVERED:
        now = f", now {STATE[alert.state]}" if alert.state is not AlertState.OK else ""
        return f"recovered at {since}{now}; it was {STATE[before]}."
    if kind is ChangeKind.ENDED:
        return f"no longer watched; the last word was {STATE[before]}. Its rule is gone, or nothing was heard for long."
    if kind is ChangeKind.OPENED:
        return f"{STATE[state]} since {since}."
    return f"{STATE[state]} since {since}, {STATE[before]} before."


def _runs(alert: Alert) -> str:
    found = alert.ground
    limit = _LIMIT[found.limit or "failed"].format(quantity.seconds(found.seconds) if found.seconds else "its limit")
    left_out = f" {found.undecided} more failed below the limit and were left out." if found.undecided else ""
    return f"{found.bad} of the last {found.runs} runs {limit.rstrip(',')} ({found.needed} open an alert).{left_out}"


def _places(alert: Alert) -> str:
    found = alert.ground
    return f"It is so at {found.bad} of {found.runs} places that are heard ({found.needed} open an alert)."


def _budget(alert: Alert) -> str:
    found = alert.ground
    if found.burn is None or found.long_seconds is None or found.short_seconds is None or found.goal is None:
        return "The error budget has too few runs to say how fast it goes."
    goal = f"{found.goal * 100:g} % of {found.unit} good"
    short = "not known" if found.short_burn is None else f"{found.short_burn:.1f} times"
    return (
        f"The error budget ({goal}) goes {found.burn:.1f} times too fast over {quantity.span(found.long_seconds)} and "
        f"{short} over {quantity.span(found.short_seconds)}.{_left(found)}"
    )


def _left(found: Ground) -> str:
    if found.budget_left is None:
        return ""
    since = f", counted since {utc(found.counted_since)[:16].replace('T', ' ')} UTC" if found.counted_since else ""
    if found.budget_left < 0:
        return f" It is overspent by {quantity.percent(-found.budget_left)}{since}."
    return f" {quantity.percent(found.budget_left)} of it is left{since}."


def _thread(alert: Alert) -> str:
    """Name one life of an alert: its mails are shown together."""
    began = alert.opened_at.isoformat() if alert.opened_at else ""
    return sha256(f"{alert.key} {began}".encode()).hexdigest()[:32]


def _start(text: str) -> str:
    return text[0].upper() + text[1:]
