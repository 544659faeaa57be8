"""Drops of sessions held open in words and numbers, for the page and the command line."""

from collections.abc import Mapping, Sequence

from collector.model.drops import DropRate, DropReport
from collector.model.session import DROPS, EndCause, Kept
from dashboards import quantity, wording
from dashboards.facts.sessions import Ended

CAUSE: Mapping[EndCause, str] = {
    EndCause.USER: "as planned",
    EndCause.IDLE: "idle time-out",
    EndCause.ADMIN: "ended by an administrator",
    EndCause.REPLACED: "signed in elsewhere",
    EndCause.NETWORK: "network",
    EndCause.HOST: "host",
    EndCause.APPLICATION: "application",
    EndCause.UNKNOWN: "unknown",
}
KEPT: Mapping[Kept, str] = {Kept.KEPT: "kept", Kept.LOST: "lost", Kept.UNKNOWN: "could not be looked at"}
NOTHING = "No session was held open, so nothing can be said of drops: this is not zero drops."


def who(rate: DropRate) -> str:
    """Name what was held and from where: "case-record by wifi"; other environments than live are named."""
    where = "" if rate.environment == "live" else f" ({rate.environment})"
    return f"{rate.journey or 'a session'} by {wording.access(rate.population)}{where}"


def often(rate: DropRate) -> str:
    """Write drops per 1,000 session-hours as "2.1 (0.4 to 6.7)"; without exposure that there is none."""
    if rate.rate is None:
        return "no exposure yet"
    found = rate.rate
    return f"{quantity.number(found.estimate)} ({quantity.number(found.low)} to {quantity.number(found.high)})"


def per_thousand(rate: DropRate) -> str:
    """Write the same with its unit, where no heading says it."""
    return often(rate) if rate.rate is None else f"{often(rate)} per 1,000 session-hours"


def exposure(rate: DropRate) -> str:
    """Write how much was watched: "12 sessions, 96 h"."""
    return f"{rate.sessions} session{'' if rate.sessions == 1 else 's'}, {quantity.seconds(rate.hours * 3600)}"


def drops(rate: DropRate) -> str:
    """Write "3: network 2, unknown 1"."""
    causes = _counted({cause: number for cause, number in rate.ends.items() if cause in DROPS})
    return f"{rate.drops}: {causes}" if causes else str(rate.drops)


def other_ends(rate: DropRate) -> str:
    """Write the ends that are no drops: "as planned 9, idle time-out 2"."""
    return _counted({cause: number for cause, number in rate.ends.items() if cause not in DROPS}) or "none"


def ends(rate: DropRate) -> str:
    """Write "network 2, unknown 1; no drops: as planned 9"."""
    words = _counted({cause: number for cause, number in rate.ends.items() if cause in DROPS}) or "none lost"
    other = other_ends(rate)
    return words if other == "none" else f"{words}; no drops: {other}"


def _counted(numbers: Mapping[EndCause, int]) -> str:
    return ", ".join(f"{CAUSE[cause]} {number}" for cause, number in numbers.items())


def left(one: Ended) -> str:
    """Write what became of the work in one session: "saved: kept; unsaved: lost; last saved 3.0 s before"."""
    parts = [
        f"{name}: {KEPT[kept]}" for name, kept in (("saved", one.saved_work), ("unsaved", one.unsaved_work)) if kept
    ]
    if one.at_risk_seconds is not None:
        parts.append(f"last saved {quantity.seconds(one.at_risk_seconds)} before")
    return "; ".join(parts) or "not watched"


def work(rate: DropRate) -> str:
    """Write what the sentinel found; that there was none is said."""
    parts = [
        f"{name} work: " + ", ".join(f"{KEPT[kept]} {number}" for kept, number in counted.items())
        for name, counted in (("saved", rate.saved_work), ("unsaved", rate.unsaved_work))
        if counted
    ]
    if not parts:
        return "no work was read back"
    if rate.at_risk_seconds is not None:
        parts.append(f"at most {quantity.seconds(rate.at_risk_seconds)} since the last save")
    return "; ".join(parts)


def logged(rate: DropRate) -> str:
    """Write what the machines' logs added: "cause by the host's log: 2, of 1 the probe had seen another"."""
    return f"cause by the host's log: {rate.by_events}; log and probe say different things: {rate.disagreements}"


def evidence(one: Ended) -> str:
    """Write what a probe saw and what the log of the session's machine has beside it; that they differ is said."""
    account = one.account
    if account is None:
        return one.detail
    differ = f" Before that: {CAUSE[account.told]}." if account.by_event and account.agrees is None else ""
    if account.agrees is False:
        taken = "The log's word is taken" if account.by_event else "What the system had shown is kept"
        differ = f" They differ: the probe saw {CAUSE[account.told]}. {taken}."
    return f"{one.detail}. {account.event}.{differ}"


def lines(report: DropReport) -> Sequence[str]:
    """Write the whole report, a block per journey and access."""
    if not report.rates:
        return (NOTHING,)
    found = []
    for rate in report.rates:
        found.append(f"{who(rate)}: {per_thousand(rate)}")
        found.append(f"  {exposure(rate)}; {rate.drops} drop{'' if rate.drops == 1 else 's'}: {ends(rate)}")
        if rate.reconnected:
            found.append(f"  came back by itself: {rate.reconnected}")
        if rate.by_events or rate.disagreements:
            found.append(f"  {logged(rate)}")
        found.append(f"  {work(rate)}")
    return found
