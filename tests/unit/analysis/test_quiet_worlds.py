"""Quiet synthetic worlds are normal: noise, single outliers and slow drift are not episodes."""

from datetime import timedelta

import pytest

from analysis.conclude import conclude
from analysis.episodes import judge
from analysis.settings import AnalysisSettings
from collector.model.verdict import Reference, Status
from collector.rows import run_tables
from tests.worlds.generator import START, World, runs, samples, window

FAST = AnalysisSettings(seasonal=False)


@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_quiet_windows_are_normal(drift: float) -> None:
    statuses = []
    for seed in range(8):
        facts = window(World(seed=seed, drift=drift, seconds=400.0))
        statuses += [v.status for v in conclude(facts, Reference.EXPECTED, FAST, now=facts.end)]
    assert len(statuses) == 8 * 15
    assert statuses.count(Status.NORMAL) >= 0.95 * len(statuses)


def test_no_look_at_a_long_quiet_time_finds_an_episode() -> None:
    judged = judge(window(World(seed=99, seconds=5400.0, drift=0.3)), Reference.EXPECTED, FAST)
    assert [one.episodes for one in judged] == [()] * 15


def test_single_outliers_and_short_hiccups_are_not_episodes() -> None:
    world = World(seed=5, seconds=500.0)
    steps = run_tables(runs(world))["steps"].to_pandas()
    late = steps["slot"] >= (START + timedelta(seconds=400)).replace(tzinfo=None)
    hit = late & (steps["slot"] < (START + timedelta(seconds=410)).replace(tzinfo=None))
    steps.loc[hit, "seconds"] += 3.0
    facts = window(world)
    facts.steps["seconds"] = steps.sort_values(["slot", "run_id", "position"])["seconds"].to_numpy()
    assert not any(one.episodes for one in judge(facts, Reference.EXPECTED, FAST))
    assert len(samples(world)) > 0


@pytest.mark.parametrize("every", [1.0, 5.0])
def test_a_machine_that_stands_still_for_ten_seconds_names_nobody(every: float) -> None:
    stalls = tuple(every * place for place in (40, 70, 93))
    facts = window(World(seed=12, seconds=every * 100, every=every, stalls=stalls, jitter=0.4, drift=0.3))
    found = conclude(facts, Reference.EXPECTED, FAST, now=facts.end)
    assert (facts.steps["seconds"] > 5).sum() >= 15
    assert {v.status for v in found} == {Status.NORMAL}
    assert not any(v.blamed for v in found)
