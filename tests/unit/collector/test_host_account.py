"""What a machine's log adds to the end of a session that a probe saw: only of that session, and never in silence."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from analysis.drops import rated
from collector.host_account import Account, accounts
from collector.model.host_event import HostEvent, HostLog
from collector.model.session import EndCause
from collector.rows import host_event_table, session_table
from tests.worlds.lives import life

T0 = datetime(2026, 11, 26, 8, tzinfo=UTC)
END = T0 + timedelta(hours=2)  # the last sign of life was 12 minutes before


def entry(cause: EndCause | None, minutes: float = -1.0, **more: object) -> HostEvent:
    said: dict[str, object] = {
        "site": "north", "host": "ts01", "log": HostLog.SESSIONS, "event_number": 40,
        "at": END + timedelta(minutes=minutes), "said": f"disconnected: {cause}", "cause": cause,
        "endpoint": "desk-1", **more,
    }  # fmt: skip
    return HostEvent(**said)  # type: ignore[arg-type]


ON = entry(None, -110.0, event_number=21, said="logged on")


def machine(
    cause: EndCause, event_number: int, minutes: float, log: HostLog = HostLog.SYSTEM, host: str = "ts01"
) -> HostEvent:
    return entry(cause, minutes, log=log, event_number=event_number, host=host, endpoint=None)


def account(told: EndCause, *events: HostEvent) -> Account | None:
    sessions = session_table(life("a", T0, 2, told))
    return accounts(sessions, host_event_table(events)).get("a")


@pytest.mark.parametrize("minutes", [-12.9, -12.0, 0.0, 0.9])
def test_an_unknown_end_gets_the_cause_its_machine_logged_between_life_and_end(minutes: float) -> None:
    found = account(EndCause.UNKNOWN, ON, entry(EndCause.IDLE, minutes))
    assert found is not None
    assert (found.cause, found.by_event, found.agrees) == (EndCause.IDLE, True, None)
    assert "ts01 logged at" in found.event


@pytest.mark.parametrize(
    "other",
    [
        entry(EndCause.IDLE, -13.1),
        entry(EndCause.IDLE, 1.1),
        entry(EndCause.IDLE, endpoint=None),  # somebody else's session on the same machine
        entry(EndCause.IDLE, endpoint="desk-2"),
        machine(EndCause.HOST, 41, 5.0, host="ts02"),
        machine(EndCause.HOST, 41, 32.0),
        machine(EndCause.ADMIN, 1074, -25.0),
    ],
)
def test_what_is_not_about_this_end_says_nothing_of_it(other: HostEvent) -> None:
    assert account(EndCause.UNKNOWN, ON, other) is None


@pytest.mark.parametrize(
    ("told", "event", "cause", "agrees"),
    [
        (EndCause.NETWORK, machine(EndCause.HOST, 41, 5.0), EndCause.HOST, False),
        (EndCause.NETWORK, machine(EndCause.HOST, 6008, 29.0), EndCause.HOST, False),
        (EndCause.HOST, machine(EndCause.ADMIN, 1074, -20.0), EndCause.ADMIN, False),
        (EndCause.HOST, machine(EndCause.HOST, 41, 5.0), EndCause.HOST, True),
        (EndCause.IDLE, entry(EndCause.REPLACED), EndCause.IDLE, False),
        (EndCause.NETWORK, machine(EndCause.APPLICATION, 1000, -1.0, HostLog.APPLICATION), EndCause.NETWORK, False),
        (EndCause.UNKNOWN, machine(EndCause.APPLICATION, 1000, -1.0, HostLog.APPLICATION), EndCause.APPLICATION, None),
        (EndCause.NETWORK, entry(None), EndCause.NETWORK, None),
    ],
)
def test_where_log_and_probe_differ_both_are_told(
    told: EndCause, event: HostEvent, cause: EndCause, agrees: bool | None
) -> None:
    found = account(told, ON, event)
    assert found is not None
    assert (found.cause, found.told, found.agrees) == (cause, told, agrees)


def test_the_sessions_own_entry_is_before_the_machines_and_one_with_a_cause_before_one_without() -> None:
    crash = machine(EndCause.APPLICATION, 1000, -0.1, HostLog.APPLICATION)
    found = account(EndCause.UNKNOWN, ON, crash, entry(EndCause.REPLACED, -2.0), entry(None, 0.0))
    assert found is not None
    assert found.cause is EndCause.REPLACED


def test_planned_ends_and_sessions_on_no_known_machine_are_left_alone() -> None:
    assert account(EndCause.USER, ON, entry(EndCause.IDLE)) is None
    assert account(EndCause.UNKNOWN, machine(EndCause.HOST, 41, 5.0)) is None


def rates(told: Sequence[EndCause], *events: HostEvent) -> tuple[int, dict[EndCause, int], int, int]:
    sessions = session_table(one for number, cause in enumerate(told) for one in life(f"s-{number}", T0, 2, cause))
    (rate,) = rated(sessions, 0.9, host_event_table(events))
    return rate.drops, dict(rate.ends), rate.by_events, rate.disagreements


def test_drops_are_counted_by_the_cause_that_was_taken_and_the_differences_beside() -> None:
    assert rates([EndCause.UNKNOWN], ON, entry(EndCause.IDLE)) == (0, {EndCause.IDLE: 1}, 1, 0)
    assert rates([EndCause.NETWORK], ON, machine(EndCause.HOST, 41, 5.0)) == (1, {EndCause.HOST: 1}, 1, 1)
    assert rates([EndCause.IDLE], ON, entry(EndCause.ADMIN)) == (0, {EndCause.IDLE: 1}, 0, 1)
    assert rates([EndCause.UNKNOWN]) == (1, {EndCause.UNKNOWN: 1}, 0, 0)
