"""Drops are counted over their exposure: exact intervals, planned ends beside, nothing held open is no zero."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.drops import PERIOD, count, rated
from analysis.statistics import poisson_at_least, poisson_interval
from collector.model.access import Access, Link, Presentation
from collector.model.session import EndCause, Kept, SessionEvent
from collector.rows import session_table
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards import session_words
from tests.worlds.lives import WIFI, life

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
CITRIX = Access(link=Link.WIRED, presentation=Presentation.CITRIX)


def days(number: int, *, cause: EndCause, access: Access = WIFI, environment: str = "live") -> list[SessionEvent]:
    return [
        event
        for day in range(number)
        for event in life(
            f"{cause}-{access.link}-{day}", T0 + timedelta(days=day), 10, cause, access=access, environment=environment
        )
    ]


@pytest.mark.parametrize(
    ("events", "level", "low", "high"),  # tables of exact Poisson limits (Garwood 1936)
    [
        (0, 0.95, 0.0, 3.6889),
        (1, 0.95, 0.0253, 5.5716),
        (5, 0.95, 1.6235, 11.6683),
        (10, 0.9, 5.4254, 16.9622),
        (100, 0.95, 81.364, 121.627),
    ],
)
def test_the_interval_of_a_rate_is_the_exact_one(events: int, level: float, low: float, high: float) -> None:
    found = poisson_interval(events, 1.0, level)
    assert (found.estimate, found.low, found.high) == pytest.approx((events, low, high), rel=1e-4, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.floats(0.01, 1e6), st.sampled_from([0.8, 0.9, 0.95]))
def test_limits_are_where_so_many_are_just_as_unlikely(events: int, exposure: float, level: float) -> None:
    found = poisson_interval(events, exposure, level)
    tail = (1 - level) / 2
    assert found.low <= found.estimate <= found.high
    assert 1 - poisson_at_least(events + 1, found.high * exposure) == pytest.approx(tail, rel=1e-3)
    if events:
        assert poisson_at_least(events, found.low * exposure) == pytest.approx(tail, rel=1e-3)


def test_drops_are_counted_by_access_over_their_hours_and_planned_ends_are_none() -> None:
    events = days(20, cause=EndCause.USER) + days(2, cause=EndCause.NETWORK, access=CITRIX)
    events += days(3, cause=EndCause.IDLE, access=CITRIX)
    first, second = rated(session_table(events), 0.9)
    assert (first.population.link, first.sessions, first.hours, first.drops) == (Link.WIFI, 20, 200.0, 0)
    assert first.rate is not None
    assert (first.rate.estimate, first.rate.low) == (0.0, 0.0)
    assert first.rate.high == pytest.approx(2.9957 / 0.2, rel=1e-3)
    assert (second.sessions, second.hours, second.drops) == (5, 50.0, 2)
    assert second.rate is not None
    assert second.rate.estimate == 40.0
    assert second.ends == {EndCause.IDLE: 3, EndCause.NETWORK: 2}


def test_live_and_test_systems_are_never_one_rate() -> None:
    events = days(1, cause=EndCause.HOST) + days(1, cause=EndCause.USER, environment="test")
    assert [(rate.environment, rate.drops) for rate in rated(session_table(events), 0.9)] == [("live", 1), ("test", 0)]


def test_the_order_of_events_changes_nothing() -> None:
    events = days(4, cause=EndCause.HOST) + days(3, cause=EndCause.USER, access=CITRIX)
    shuffled = random.Random(3).sample(events, len(events))
    assert rated(session_table(shuffled), 0.9) == rated(session_table(events), 0.9)


def test_work_that_was_read_back_is_counted_apart() -> None:
    events = list(life("a", T0, 2, EndCause.HOST, work=(Kept.KEPT, Kept.LOST)))
    events += life("b", T0, 2, EndCause.IDLE, work=(Kept.UNKNOWN, Kept.UNKNOWN))
    (rate,) = rated(session_table(events), 0.9)
    assert rate.hours == 4.0, "reading back is no exposure"
    assert rate.saved_work == {Kept.KEPT: 1, Kept.UNKNOWN: 1}
    assert rate.unsaved_work == {Kept.LOST: 1, Kept.UNKNOWN: 1}
    assert rate.at_risk_seconds == 41.5


def test_only_what_was_open_within_the_period_is_exposure() -> None:
    store = MemoryStore()
    store.append(Batch(batch_id="a:1", sender="a", sessions=tuple(life("a", T0, 10, None))))
    whole = count(store, start=T0, end=T0 + timedelta(hours=24), level=0.9, now=T0)
    part = count(store, start=T0 + timedelta(hours=4.5), end=T0 + timedelta(hours=24), level=0.9, now=T0)
    assert (whole.rates[0].hours, whole.rates[0].drops) == (9.0, 0), "still open, or its agent was killed"
    assert part.rates[0].hours == 4.0
    store.close()


def test_nothing_held_open_is_said_and_is_not_zero() -> None:
    store = MemoryStore()
    report = count(store, start=T0 - PERIOD, end=T0, level=0.9, now=T0)
    assert report.rates == ()
    assert session_words.lines(report) == (session_words.NOTHING,)
    store.append(Batch(batch_id="a:1", sender="a", sessions=(next(life("a", T0, 1, None)),)))
    (rate,) = count(store, start=T0, end=T0 + PERIOD, level=0.9, now=T0).rates
    assert (rate.sessions, rate.rate) == (1, None)
    assert session_words.per_thousand(rate) == "no exposure yet"
    store.close()


def test_sessions_in_which_people_work_are_not_among_the_held_ones() -> None:
    held = days(3, cause=EndCause.NETWORK)
    people = [replace(one, session_id=f"p-{one.session_id}", synthetic=False) for one in held]
    assert rated(session_table(held + people), 0.95) == rated(session_table(held), 0.95)
    assert rated(session_table(people), 0.95) == []
    untold = session_table(held)  # as rows were before there were others
    empty = pa.nulls(untold.num_rows, pa.bool_())
    untold = untold.set_column(untold.schema.get_field_index("synthetic"), "synthetic", empty)
    assert rated(untold, 0.95) == rated(session_table(held), 0.95)
