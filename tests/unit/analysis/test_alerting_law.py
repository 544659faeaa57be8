"""The law of n of m, and that nothing becomes well without runs."""

from datetime import datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.alerting import bad as law
from analysis.alerting.judge import Now, audible, judged
from analysis.alerting.rule import Limit, Rule, RunsRule
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Heard, Sighting
from collector.model.alert import Alert, AlertState, Ground, severity
from tests.worlds.alerts import NOW, alert, subject

TIERS = st.sampled_from([AlertState.OK, AlertState.WARNING, AlertState.CRITICAL])
STATES = st.sampled_from(list(AlertState))


@st.composite
def rules(draw: st.DrawFn) -> RunsRule:
    of = draw(st.integers(1, 12))
    bad = draw(st.integers(1, of))
    return RunsRule(warning=Limit(seconds=1.0), bad=bad, of=of)


@settings(deadline=None, max_examples=50)
@given(rules(), st.lists(st.booleans(), max_size=30))
def test_n_of_m(rule: RunsRule, given_runs: list[bool]) -> None:
    bad = np.array(given_runs, dtype=bool)
    last = given_runs[-rule.of :]
    assert law.fires(bad, rule) == (sum(last) >= rule.bad)
    assert law.out_of_reach(bad, rule) == all(
        sum(last) + missing < rule.bad for missing in range(rule.of - len(last) + 1)
    )
    assert not (law.fires(bad, rule) and law.ended(bad, rule)), "it would open and end at once"


@settings(deadline=None, max_examples=50)
@given(rules(), st.lists(st.booleans(), min_size=1, max_size=40))
def test_enough_good_runs_end_every_alert(rule: RunsRule, given_runs: list[bool]) -> None:
    assert law.ended(np.array([*given_runs, *[False] * rule.good_among], dtype=bool), rule)
    assert not law.ended(np.zeros(0, dtype=bool), rule)
    assert not law.out_of_reach(np.zeros(0, dtype=bool), rule)


@settings(deadline=None, max_examples=50)
@given(STATES, TIERS, TIERS, st.sampled_from([None, 5.0, 5000.0]), st.booleans(), TIERS, TIERS)
def test_nothing_is_well_without_data(
    state: AlertState,
    held: AlertState,
    told: AlertState,
    age: float | None,
    enough: bool,
    fires: AlertState,
    holds: AlertState,
) -> None:
    before = alert(state=state, held=held, told=told, heard_at=None)
    ground = Ground(kind="runs")
    sighting = Sighting(rule="r", subject=subject(), fires=fires, holds=holds, enough=enough, ground=ground)
    for seen in (sighting, None):
        now = _now(age, seen)
        after = judged(RULE, subject(), now, before, AlertSettings())
        stale = age is None or age > 900
        if stale or seen is None:
            assert after.state is not AlertState.OK
            assert after.held is held
            assert audible(after, RULE) is not AlertState.OK or told is AlertState.OK
        if stale:
            assert after.state is AlertState.STALE
        elif seen is not None and after.state is AlertState.OK:
            assert fires is AlertState.OK
            assert enough
            assert severity(held) == 0 or severity(holds) == 0
        elif seen is not None:
            assert severity(after.held) >= severity(fires)
            assert severity(after.held) <= max(severity(fires), severity(held))


RULE = Rule(name="r", runs=RunsRule(critical=Limit(failed=True)))


def _now(age: float | None, sighting: Sighting | None) -> Now:
    heard = None if age is None else Heard(last=NOW - timedelta(seconds=age))
    return Now(at=NOW, heard=heard, sighting=sighting, planned=False, patience=timedelta(seconds=900))


def test_without_anything_known_before_it_is_stale() -> None:
    after: Alert = judged(RULE, subject(), _now(None, None), None, AlertSettings())
    assert after.state is AlertState.STALE
    assert isinstance(after.at, datetime)
