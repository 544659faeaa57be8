"""The ladder: which rung history reaches, and what cannot teach it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.conclude import conclude
from analysis.episodes import judge
from analysis.expectation import Seasons, declared, pooled
from analysis.series import Key
from analysis.settings import AnalysisSettings
from collector.model.run import Phase
from collector.model.verdict import Reference, Rung, Status
from tests.worlds.generator import START, WIFI, Fault, World, window

KEY = Key(site="site-1", journey="case-record", step="save", population=WIFI, environment="live")


def history(days: int, *, busy_hour: int = 9, busy: float = 2.0) -> pd.DataFrame:
    """Hours of ``days`` before START; the busy hour takes ``busy`` seconds, others a tenth."""
    rows = []
    for back in range(1, days * 24 + 1):
        hour = (START - timedelta(hours=back)).replace(tzinfo=None)
        middle = busy if hour.hour == busy_hour else busy / 10
        rows.append(
            {"hour": hour, "site": "site-1", "journey": "case-record", "step": "save", "link": "wifi"}
            | {"presentation": "local", "environment": "live", "runs": 12, "measured": 12, "q50": middle}
            | {"q10": middle * 0.9, "q90": middle * 1.1}
        )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("days", "rung"), [(3, None), (5, Rung.HOUR_OF_DAY), (20, Rung.HOUR_OF_DAY), (22, Rung.HOUR_OF_WEEK)]
)
def test_the_rung_follows_the_history(days: int, rung: Rung | None) -> None:
    band = Seasons(history(days), minimum_runs=30).band(KEY, START)
    assert (band.rung if band else None) == rung
    if band:
        assert band.mid == 2.0
        assert band.high == pytest.approx(2.2)


def test_one_bad_day_does_not_teach() -> None:
    rows = history(7)
    day = rows["hour"].dt.normalize() == rows["hour"].dt.normalize().iloc[30]
    rows.loc[day, ["q50", "q90"]] = 60.0
    band = Seasons(rows, minimum_runs=30).band(KEY, START)
    assert band is not None
    assert band.mid == 2.0
    assert band.high < 3.0


def test_growth_is_followed_for_as_much_as_does_not_matter() -> None:
    rows = history(28)
    week = (rows["hour"] - rows["hour"].min()).dt.days // 7
    for growth, moved in ((1.05, 1.05**1.5), (2.0, 1.25)):
        grown = rows.assign(q50=2.0 * growth ** (week - 3.0), q90=2.4 * growth ** (week - 3.0))
        band = Seasons(grown, minimum_runs=30).band(KEY, START)
        assert band is not None
        middle = float(np.median(sorted(set(grown["q50"]))))
        assert band.mid == pytest.approx(moved * middle, rel=0.01)


def test_hours_that_differ_from_day_to_day_are_not_slow_when_they_differ_once_more() -> None:
    rows = history(28)
    noise = np.exp(np.random.default_rng(1).normal(0, 0.15, len(rows)))
    scattered = rows.assign(q50=rows["q50"] * noise, q90=rows["q90"] * noise)
    steady, wide = (Seasons(frame, minimum_runs=30).band(KEY, START) for frame in (rows, scattered))
    assert steady is not None
    assert wide is not None
    assert steady.high / steady.mid < 1.3
    assert 1.5 < wide.high / wide.mid < 2.4


def test_an_hour_never_teaches_itself() -> None:
    rows = history(6)
    assert Seasons(rows, minimum_runs=30).band(KEY, START - timedelta(days=6)) is None


def test_an_excess_over_hours_that_differ_from_day_to_day_is_less_sure() -> None:
    fault = Fault(start=0.0, seconds={Phase.SERVER_DB: 6.0}, steps=["save"])
    facts = window(World(seconds=1200.0, populations=[WIFI], timeout=30.0, faults=[fault]))
    widths = []
    for spread in (0.0, 0.15):
        hourly = history(8).assign(environment="synthetic")
        day = hourly["hour"].dt.day % 3 - 1
        hourly["q50"] *= 1 + spread * day
        judged = judge(replace(facts, hourly=hourly), Reference.EXPECTED, AnalysisSettings())
        (episode,) = [e for one in judged for e in one.episodes if e.step == "save"]
        assert episode.rung is Rung.HOUR_OF_DAY
        assert episode.excess_seconds is not None
        widths.append(episode.excess_seconds.high - episode.excess_seconds.low)
    assert widths[1] > 1.2 * widths[0]


def test_a_busy_hour_is_not_slow_and_its_rung_is_printed() -> None:
    world = World(
        seconds=120.0, populations=[WIFI], faults=[Fault(start=0.0, seconds={Phase.SERVER_DB: 2.0}, steps=["save"])]
    )
    facts = window(world)
    hourly = history(8).assign(environment="synthetic")
    learned = {
        v.step: v
        for v in conclude(replace(facts, hourly=hourly), Reference.EXPECTED, AnalysisSettings(), now=facts.end)
    }
    assert learned["save"].rung is Rung.HOUR_OF_DAY
    assert learned["save"].status is Status.NORMAL


def test_against_four_quiet_weeks_a_slow_hour_is_slow_from_its_first_run() -> None:
    world = World(
        seconds=120.0, populations=[WIFI], faults=[Fault(start=0.0, seconds={Phase.SERVER_DB: 4.0}, steps=["save"])]
    )
    facts = window(world)
    hourly = history(28).assign(environment="synthetic")
    learned = {
        v.step: v
        for v in conclude(replace(facts, hourly=hourly), Reference.EXPECTED, AnalysisSettings(), now=facts.end)
    }
    assert learned["save"].rung is Rung.HOUR_OF_WEEK
    assert learned["save"].status is Status.SLOW


def test_bands_are_robust_and_censored_centres_say_at_least() -> None:
    values = np.array([1.0] * 20 + [50.0] * 2)
    assert pooled(values).high < 1.5
    assert declared(2.0).high == 2.0
    limit = np.array([0.0] * 5 + [1.0] * 17)
    assert pooled(np.array([1.0] * 5 + [10.0] * 17), limit).at_least
    assert not pooled(values, np.zeros(22)).at_least
