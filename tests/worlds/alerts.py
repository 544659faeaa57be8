"""Alerts and their parts as tests need them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from collector.model.access import Link, Population, Presentation
from collector.model.alert import (
    Alert,
    AlertState,
    Blamed,
    ChangeKind,
    Ground,
    Message,
    Notice,
    Subject,
    Told,
    notice_id,
)
from collector.model.layer import Layer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)


def subject(**changed: object) -> Subject:
    base = Subject(site="town", environment="live", journey="case-record", population=WIFI, step="save")
    return replace(base, **changed)  # type: ignore[arg-type]


def alert(**changed: object) -> Alert:
    base = Alert(
        rule="r",
        subject=subject(),
        state=AlertState.CRITICAL,
        held=AlertState.CRITICAL,
        told=AlertState.CRITICAL,
        since=NOW - timedelta(minutes=18),
        opened_at=NOW - timedelta(minutes=17),
        heard_at=NOW - timedelta(seconds=30),
        at=NOW,
        ground=Ground(kind="runs", bad=4, runs=5, needed=3, seconds=2.0, limit="seconds"),
        counting="counting rules 2, maintenance: ignore",
        verdict_id="v-wifi-save",
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def message(number: int = 1, **changed: object) -> Message:
    blamed = Blamed(layer=Layer.ACCESS_NETWORK, component="ap-7", supplier="Netco", share=0.78, low=0.7, high=0.85)
    lines = (f"Saving in case-record over WiFi has been slow, number {number}.", "4 of the last 5 runs were bad.")
    told = Told(alert=alert(), before=AlertState.OK, lines=lines, url="http://pages.test/why/v", blamed=(blamed,))
    base = Message(
        kind=ChangeKind.OPENED,
        state=AlertState.CRITICAL,
        at=NOW + timedelta(seconds=number),
        title=f"critical: case-record, save, WiFi ({number})",
        told=(told,),
        thread="thread-1",
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def notice(number: int = 1, channel: str = "email", **changed: object) -> Notice:
    sent = message(number, **changed)
    return Notice(notice_id=notice_id(channel, sent), channel=channel, message=sent, site="town", created_at=sent.at)
