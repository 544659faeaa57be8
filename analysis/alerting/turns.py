"""What has to be told: changes of state, each once, and together what changed together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analysis.alerting.settings import Channel
from collector.model.alert import (
    Alert,
    AlertState,
    ChangeKind,
    Message,
    Notice,
    notice_id,
    severity,
)
from collector.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One alert whose word to people changed: ``alert.told`` is the new one, ``before`` the old."""

    alert: Alert
    before: AlertState
    verdict: Verdict | None = None
    ended: bool = False


Write = Callable[[ChangeKind, AlertState, Sequence[Turn], datetime], Message]


def turned(alert: Alert, word: AlertState, now: datetime) -> Alert:
    """Give the alert as ``word`` is told of it: a life begins with the first word that is not ``ok``."""
    return replace(alert, told=word, opened_at=alert.opened_at or now)


def at_rest(alert: Alert) -> Alert:
    """Give the alert as it is kept: a life ends when ``ok`` was told."""
    if alert.told is not AlertState.OK:
        return alert
    return replace(alert, opened_at=None, acknowledged_by=None, acknowledged_at=None)


def notices(turns: Sequence[Turn], channels: Sequence[Channel], write: Write, now: datetime) -> list[Notice]:
    """Write one message per channel for all turns of one rule, journey and kind."""
    return [notice for channel in channels for notice in _of_channel(channel, turns, write, now)]


def _of_channel(channel: Channel, turns: Sequence[Turn], write: Write, now: datetime) -> Iterator[Notice]:
    groups: dict[tuple[str, str, str, str, ChangeKind, AlertState], list[Turn]] = {}
    for turn in turns:
        before, after = channel.view(turn.before), channel.view(turn.alert.told)
        if before is after or not channel.hears(turn.alert.rule):
            continue
        kind = ChangeKind.ENDED if turn.ended else kind_of(before, after)
        subject = turn.alert.subject
        key = (turn.alert.rule, subject.site, subject.environment, subject.journey, kind, after)
        groups.setdefault(key, []).append(turn)
    for key, found in groups.items():
        message = write(key[4], key[5], found, now)
        yield Notice(
            notice_id=notice_id(channel.called, message),
            channel=channel.called,
            message=message,
            site=found[0].alert.subject.site,
            created_at=now,
        )


def kind_of(before: AlertState, after: AlertState) -> ChangeKind:
    """Say what kind of change it is from one word to another."""
    if after is AlertState.OK:
        return ChangeKind.RECOVERED
    if after is AlertState.STALE:
        return ChangeKind.STALE
    if not severity(before):
        return ChangeKind.OPENED
    return ChangeKind.WORSE if severity(after) > severity(before) else ChangeKind.BETTER
