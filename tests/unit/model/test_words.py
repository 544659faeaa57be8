"""The words refuse what cannot be, and survive the wire."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from collector.model.access import Access, Link, Population, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.change import Change
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.model.session import EndCause, Kept, SessionEvent, SessionEventKind
from collector.model.verdict import Interval

NOW = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
WIFI = Access(link=Link.WIFI, presentation=Presentation.LOCAL, link_source="label", confidence=0.5)


def a_run(**changes: Any) -> Run:
    facts: dict[str, Any] = {
        "run_id": "0" * 31 + "1",
        "site": "town-hall",
        "endpoint": "wifi-1",
        "access": WIFI,
        "journey": "case-record",
        "journey_hash": "abc",
        "slot": NOW,
        "started_at": NOW + timedelta(seconds=2),
        "seconds": 1.5,
        "outcome": Outcome.OK,
        "steps": (StepTiming(step="login", outcome=Outcome.OK, seconds=1.5, phases={Phase.CONNECT: 0.1}),),
    }
    return Run(**(facts | changes))


def test_a_population_reads_as_people_say_it() -> None:
    assert str(WIFI.population) == "wifi"
    assert str(Population(link=Link.WIFI, presentation=Presentation.CITRIX)) == "citrix over wifi"


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.SLOW])
def test_a_measured_step_has_a_duration_that_is_a_sample(outcome: Outcome) -> None:
    with pytest.raises(ValueError, match="needs seconds"):
        StepTiming(step="save", outcome=outcome)
    with pytest.raises(ValueError, match="needs seconds"):
        StepTiming(step="save", outcome=outcome, seconds=3.0, censored=True)


def test_a_timeout_is_at_least_so_long_and_never_a_sample() -> None:
    with pytest.raises(ValueError, match="censored"):
        StepTiming(step="save", outcome=Outcome.TIMEOUT, seconds=30.0)
    with pytest.raises(ValueError, match="censored"):
        StepTiming(step="save", outcome=Outcome.TIMEOUT, censored=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1])
def test_durations_are_finite_and_not_negative(value: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        StepTiming(step="save", outcome=Outcome.FAILED, seconds=value)
    with pytest.raises(ValueError, match=r"phases\.tls"):
        StepTiming(step="save", outcome=Outcome.FAILED, phases={Phase.TLS: value})


@pytest.mark.parametrize("changes", [{"run_id": "xyz"}, {"endpoint": "Not A Name"}, {"slot": NOW.replace(tzinfo=None)}])
def test_a_run_refuses_what_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        a_run(**changes)


@given(
    seconds=st.floats(min_value=0, max_value=1e6),
    phases=st.dictionaries(st.sampled_from(Phase), st.floats(min_value=0, max_value=1e4)),
    facts=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_a_run_survives_the_wire(seconds: float, phases: dict[Phase, float], facts: dict[str, str]) -> None:
    step = StepTiming(step="save", outcome=Outcome.OK, seconds=seconds, phases=phases)
    run = a_run(steps=(step,), facts=facts)
    wire = TypeAdapter(Run)
    assert wire.validate_json(wire.dump_json(run)) == run


def test_the_wire_refuses_what_the_words_refuse() -> None:
    wire = TypeAdapter(Sample)
    body = {
        "site": "s",
        "component": "app-1",
        "layer": "storage",
        "metric": "storage.write.latency",
        "at": NOW.isoformat(),
    }
    assert wire.validate_python(body | {"value": 0.1}).layer is Layer.STORAGE
    with pytest.raises(ValidationError, match="finite"):
        wire.validate_python(body | {"value": math.nan})


def test_an_ended_session_has_a_cause_and_only_an_ended_one() -> None:
    facts: dict[str, Any] = {
        "session_id": "s1",
        "site": "s",
        "endpoint": "e",
        "access": WIFI,
        "at": NOW,
        "open_seconds": 5.0,
    }
    SessionEvent(**facts, kind=SessionEventKind.ENDED, cause=EndCause.NETWORK)
    with pytest.raises(ValueError, match="cause"):
        SessionEvent(**facts, kind=SessionEventKind.ENDED)
    with pytest.raises(ValueError, match="cause"):
        SessionEvent(**facts, kind=SessionEventKind.ALIVE, cause=EndCause.IDLE)
    SessionEvent(**facts, kind=SessionEventKind.READ_BACK, saved_work=Kept.KEPT, at_risk_seconds=3.0)
    with pytest.raises(ValueError, match="read back"):
        SessionEvent(**facts, kind=SessionEventKind.READ_BACK)
    with pytest.raises(ValueError, match="read back"):
        SessionEvent(**facts, kind=SessionEventKind.ALIVE, unsaved_work=Kept.LOST)
    with pytest.raises(ValueError, match="at risk"):
        SessionEvent(**facts, kind=SessionEventKind.ALIVE, at_risk_seconds=3.0)


def test_a_change_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="end"):
        Change(
            change_id="san", site="s", what="SAN", layer=Layer.STORAGE, start=NOW, end=NOW - timedelta(days=1),
            declared_by="it", declared_at=NOW,
        )  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_an_interval_holds_its_estimate(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert Interval(estimate=low, low=low, high=high).low == low
    if low < high:
        with pytest.raises(ValueError, match="inside"):
            Interval(estimate=low, low=high, high=high)


def test_every_metric_has_a_unit_a_layer_and_a_meaning() -> None:
    for name, metric in CATALOGUE.items():
        assert name == metric.name
        assert metric.unit
        assert len(metric.meaning) > 10
