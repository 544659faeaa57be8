"""Drops of sessions held open, per 1,000 session-hours, with the exact interval of a Poisson rate."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from analysis.counting import RULES
from analysis.settings import AnalysisSettings
from analysis.statistics import poisson_interval, rounded
from collector import host_account
from collector.host_account import Account
from collector.model.access import Link, Population, Presentation
from collector.model.drops import DropRate, DropReport
from collector.model.session import DROPS, EndCause, Kept, SessionEventKind
from collector.model.verdict import Interval
from collector.registry import Registry
from collector.store import Slice, Store

PERIOD = timedelta(days=30)
PER_HOURS = 1000.0
_COLUMNS = [
    "session_id", "site", "journey", "environment", "link", "presentation",
    "kind", "open_seconds", "cause", "saved_work", "unsaved_work", "at_risk_seconds",
    "synthetic", "at", "endpoint",
]  # fmt: skip


class _Key(NamedTuple):
    site: str
    journey: str | None
    environment: str
    link: str
    presentation: str


def refresh(store: Store, registry: Registry, settings: AnalysisSettings, *, now: datetime) -> DropReport:
    """Count the last 30 days anew, and keep the report for the pages."""
    report = count(store, start=now - PERIOD, end=now, level=settings.level, now=now)
    registry.put_drops(report)
    return report


def count(store: Store, *, start: datetime, end: datetime, level: float, now: datetime) -> DropReport:
    """Flush, then count from that one snapshot."""
    snapshot = store.flush()
    rows = store.scan("sessions", Slice(start=start, end=end), columns=_COLUMNS, snapshot=snapshot)
    logged = store.scan("host_events", _around(start, end), columns=host_account.NEEDED, snapshot=snapshot)
    rates = tuple(rated(rows, level, logged))
    return DropReport(
        start=start, end=end, reached_at=now, snapshot=snapshot, counting_rules=RULES.version, rates=rates
    )


def _around(start: datetime, end: datetime) -> Slice:
    """Give the time of the entries that may be about ends of a period: some come late."""
    return Slice(start=start, end=end + timedelta(hours=1))


def rated(events: pa.Table, level: float, logged: pa.Table | None = None) -> list[DropRate]:
    """Count the events of a period, by site, journey, environment and access. Pure.

    ``logged`` are rows of ``host_events``: they give ends their causes, as ``collector/host_account.py`` has it.

    Exposure is what ``open_seconds`` of each session grew by within the period; of a session that was
    open before, what lies before its first event in the period is not counted. Sessions in which people work are
    left out: how they end is their own affair, and nothing says which of their ends was a drop.
    """
    events = events.filter(pc.fill_null(events["synthetic"], fill_value=True))
    exposure = _exposure(events)
    told: Mapping[_Key, list[dict[str, Any]]] = _told(events)
    accounts = {} if logged is None else host_account.accounts(events, logged)
    return [
        _rate(key, hours, told.get(key, []), accounts, level)
        for key, hours in sorted(exposure.items(), key=lambda one: tuple(part or "" for part in one[0]))
    ]


def _exposure(events: pa.Table) -> dict[_Key, list[float]]:
    """Give the hours of each session that was open in the period, by key."""
    lived = events.filter(pc.not_equal(events["kind"], str(SessionEventKind.READ_BACK)))
    grouped = lived.group_by(["session_id", *_Key._fields]).aggregate(
        [("open_seconds", "max"), ("open_seconds", "min")]
    )
    hours: dict[_Key, list[float]] = defaultdict(list)
    for row in grouped.to_pylist():
        hours[_key(row)].append((row["open_seconds_max"] - row["open_seconds_min"]) / 3600)
    return hours


def _told(events: pa.Table) -> dict[_Key, list[dict[str, Any]]]:
    wanted = [str(kind) for kind in (SessionEventKind.ENDED, SessionEventKind.RECONNECTED, SessionEventKind.READ_BACK)]
    told: dict[_Key, list[dict[str, Any]]] = defaultdict(list)
    for row in events.filter(pc.is_in(events["kind"], pa.array(wanted))).to_pylist():
        told[_key(row)].append(row)
    return told


def _rate(
    key: _Key, hours: list[float], told: list[dict[str, Any]], accounts: Mapping[str, Account], level: float
) -> DropRate:
    ended = [row for row in told if row["kind"] == SessionEventKind.ENDED]
    logged = [accounts[row["session_id"]] for row in ended if row["session_id"] in accounts]
    ends = Counter(account.cause for account in logged)
    ends.update(EndCause(row["cause"]) for row in ended if row["session_id"] not in accounts)
    drops = sum(number for cause, number in ends.items() if cause in DROPS)
    total = rounded(sum(sorted(hours)))
    at_risk = [row["at_risk_seconds"] for row in told if row["at_risk_seconds"] is not None]
    return DropRate(
        site=key.site,
        journey=key.journey,
        environment=key.environment,
        population=Population(link=Link(key.link), presentation=Presentation(key.presentation)),
        sessions=len(hours),
        hours=total,
        drops=drops,
        rate=_per_thousand(drops, total, level) if total > 0 else None,
        reconnected=sum(row["kind"] == SessionEventKind.RECONNECTED for row in told),
        ends={cause: ends[cause] for cause in EndCause if ends[cause]},
        saved_work=_kept(told, "saved_work"),
        unsaved_work=_kept(told, "unsaved_work"),
        at_risk_seconds=max(at_risk) if at_risk else None,
        by_events=sum(account.by_event for account in logged),
        disagreements=sum(account.agrees is False for account in logged),
    )


def _per_thousand(drops: int, hours: float, level: float) -> Interval:
    return poisson_interval(drops, hours / PER_HOURS, level)


def _kept(told: list[dict[str, Any]], column: str) -> dict[Kept, int]:
    counted = Counter(Kept(row[column]) for row in told if row[column] is not None)
    return {kept: counted[kept] for kept in Kept if counted[kept]}


def _key(row: Mapping[str, Any]) -> _Key:
    return _Key(*(row[name] for name in _Key._fields))
