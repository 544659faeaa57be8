"""The life of a held session: whatever is seen, exposure never runs backwards and a session ends once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model.access import Access, Link, Presentation
from collector.model.session import EndCause, Kept, SessionEvent, SessionEventKind
from probes.sessions.life import Held, Life, Look, Moment, Sign

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HELD = Held(
    session_id="s-1",
    site="north",
    endpoint="desk-1",
    access=Access(link=Link.WIFI, presentation=Presentation.LOCAL),
    journey="case-record",
    environment="live",
)
GRACE = 10.0


def at(seconds: float, *, wall: float | None = None) -> Moment:
    return Moment(T0 + timedelta(seconds=seconds if wall is None else wall), 100.0 + seconds)


def lived(signs: Sequence[tuple[float, Sign]], *, cause: EndCause = EndCause.IDLE) -> list[SessionEvent]:
    life, first = Life(held=HELD, started=at(0), grace=GRACE).begin()
    events = [first]
    for seconds, sign in signs:
        look = Look(at=at(seconds), sign=sign, text=f"saw {sign}", cause=cause if sign is Sign.SAID else None)
        life, event = life.after(look)
        events += [event] if event else []
    return events


def told(signs: Sequence[tuple[float, Sign]]) -> list[str]:
    return [f"{one.kind}{f' {one.cause}' if one.cause else ''} {one.open_seconds:g}" for one in lived(signs)]


ALIVE, SAID, SIGN_IN, REFUSED = Sign.ALIVE, Sign.SAID, Sign.SIGN_IN, Sign.REFUSED
SILENT, UNANSWERED, ERROR, UNCLEAR, PROBE = Sign.SILENT, Sign.UNANSWERED, Sign.ERROR, Sign.UNCLEAR, Sign.PROBE


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([(60, ALIVE), (120, SAID)], "ended idle 120"),
        ([(60, ALIVE), (120, SIGN_IN)], "ended unknown 120"),
        ([(60, REFUSED), (65, SIGN_IN)], "ended application 60"),
        ([(60, ERROR), (65, SIGN_IN)], "ended application 60"),
        ([(60, SILENT), (65, SIGN_IN)], "ended unknown 60"),
        ([(60, UNCLEAR), (65, SIGN_IN)], "ended unknown 60"),
        ([(60, REFUSED), (65, REFUSED), (71, REFUSED)], "ended host 60"),
        ([(60, UNCLEAR), (65, SILENT), (71, SILENT)], "ended network 60"),
        ([(60, UNCLEAR), (71, UNANSWERED)], "ended application 60"),
        ([(60, ERROR), (71, ERROR)], "ended application 60"),
        ([(60, SILENT), (71, REFUSED)], "ended unknown 60"),
        ([(60, UNCLEAR), (71, UNCLEAR)], "ended unknown 60"),
        ([(60, PROBE)], "ended user 60"),
        ([(60, REFUSED), (69, ALIVE), (75, REFUSED), (80, ALIVE)], "reconnected 80"),
        ([(60, REFUSED), (600, ALIVE)], "reconnected 600"),  # the machine slept: one failed look proves nothing
        ([(60, REFUSED), (65, SAID)], "ended idle 60"),
    ],
)
def test_what_was_seen_decides_the_class(signs: list[tuple[float, Sign]], expected: str) -> None:
    assert told(signs)[-1] == expected


def test_nothing_is_told_while_a_session_may_still_come_back() -> None:
    assert told([(60, REFUSED), (65, REFUSED), (69.9, REFUSED)]) == ["started 0"]


def test_evidence_says_how_long_how_often_and_what() -> None:
    assert lived([(60, REFUSED), (65, REFUSED), (71, REFUSED)])[-1].detail == "for 11 s, 3 times: saw refused"
    assert lived([(60, REFUSED), (65, SIGN_IN)])[-1].detail == "saw sign_in; for 5 s before: saw refused"


def test_a_planned_end_is_the_users_own_and_no_drop_may_follow() -> None:
    life, _ = Life(held=HELD, started=at(0), grace=GRACE).begin()
    life, event = life.closed(at(30), "the hours are over")
    assert event is not None
    assert (event.cause, event.open_seconds) == (EndCause.USER, 30.0)
    assert life.after(Look(at=at(40), sign=REFUSED)) == (life, None)
    assert life.closed(at(41), "again") == (life, None)


def test_what_is_read_back_adds_no_exposure() -> None:
    life, _ = Life(held=HELD, started=at(0), grace=GRACE).begin()
    life, _ = life.after(Look(at=at(30), sign=SAID, cause=EndCause.ADMIN))
    event = life.read_back(at(300), saved=Kept.KEPT, unsaved=Kept.LOST, at_risk_seconds=12.0)
    assert (event.open_seconds, event.at, event.session_id) == (30.0, T0 + timedelta(seconds=300), "s-1")


steps = st.tuples(
    st.floats(0, 100),  # seconds since the look before
    st.floats(-7200, 7200),  # how far the clock on the wall is off
    st.sampled_from([*Sign, "close"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=30))
def test_a_life_is_in_order_whatever_the_clock_does(looks: list[tuple[float, float, Sign | str]]) -> None:
    life, first = Life(held=HELD, started=at(0), grace=GRACE).begin()
    events, seconds = [first], 0.0
    for step, off, sign in looks:
        seconds += step
        moment = at(seconds, wall=seconds + off)
        if isinstance(sign, Sign):
            life, event = life.after(Look(at=moment, sign=sign, cause=EndCause.ADMIN if sign is SAID else None))
        else:
            life, event = life.closed(moment, "over")
        events += [event] if event else []
    kinds = [event.kind for event in events]
    assert kinds[0] is SessionEventKind.STARTED
    assert kinds.count(SessionEventKind.STARTED) == 1
    assert SessionEventKind.ENDED not in kinds[:-1]
    assert (life.ended is not None) == (kinds[-1] is SessionEventKind.ENDED)
    exposure = [event.open_seconds for event in events]
    assert exposure == sorted(exposure)
    assert 0.0 <= exposure[-1] <= seconds + 0.001
    assert [event.at for event in events] == sorted(event.at for event in events)
