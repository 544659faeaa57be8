"""What every attribution method promises, whichever it is."""

from dataclasses import replace
from functools import lru_cache

import pandas as pd
import pytest

from analysis import methods
from analysis.episode import Episode
from analysis.episodes import judge
from analysis.method import Method
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Reference
from collector.plugin import load, names
from tests.worlds.culprits import ALONE, CULPRITS, DOWN, SILENT
from tests.worlds.generator import World, window

WORLDS: dict[str, World] = {name: world for name, (_, world) in CULPRITS.items()} | {
    "alone": ALONE,
    "down": DOWN,
    "silent": SILENT,
}
CHOSEN = ("wifi loses packets", "a query is slow after a release", "saving times out on stalled storage")
KINDS = (*CHOSEN, "alone", "down", "silent")


@lru_cache(maxsize=16)
def episodes(name: str) -> tuple[Window, tuple[Episode, ...]]:
    facts = window(WORLDS[name])
    judged = judge(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False))
    return facts, tuple(episode for one in judged for episode in one.episodes)[:4]


@lru_cache(maxsize=16)
def made_again(name: str) -> Window:
    return window(WORLDS[name])


@pytest.fixture(params=names(methods))
def method(request: pytest.FixtureRequest) -> Method:
    return load(methods, request.param, Method)


@pytest.mark.parametrize("world", KINDS)
def test_findings_are_well_formed(method: Method, world: str) -> None:
    facts, found = episodes(world)
    assert found
    for episode in found:
        for finding in method.explain(facts, episode, level=0.9):
            assert finding.method == method.use
            assert not finding.among or finding.layer in finding.among
            assert set(finding.among) <= set(Layer)
            assert finding.evidence
            assert all(evidence.text and evidence.rule for evidence in finding.evidence)
            assert finding.seconds is None or finding.seconds.level == 0.9


@pytest.mark.parametrize("world", KINDS)
def test_the_same_window_gives_the_same_findings(method: Method, world: str) -> None:
    facts, found = episodes(world)
    again = made_again(world)
    for episode in found:
        assert method.explain(facts, episode, level=0.9) == method.explain(again, episode, level=0.9)


@pytest.mark.parametrize("world", KINDS)
def test_measured_parts_are_not_larger_than_the_excess(method: Method, world: str) -> None:
    facts, found = episodes(world)
    for episode in found:
        excess = episode.excess_rate or episode.excess_seconds
        assert excess is not None
        parts = [f.seconds.estimate for f in method.explain(facts, episode, level=0.9) if f.seconds is not None]
        assert sum(part for part in parts if part > 0) <= 1.15 * excess.estimate + 0.02


def test_a_window_without_data_says_nothing_or_does_not_fail(method: Method) -> None:
    facts, found = episodes(CHOSEN[0])
    empty = replace(facts, steps=facts.steps.iloc[:0], samples=facts.samples.iloc[:0])
    for finding in method.explain(empty, found[0], level=0.9):
        assert finding.seconds is None or finding.seconds.estimate == 0 or finding.evidence


def test_frames_are_left_as_they_were(method: Method) -> None:
    facts, found = episodes(CHOSEN[0])
    steps, samples = facts.steps.copy(deep=True), facts.samples.copy(deep=True)
    method.explain(facts, found[0], level=0.9)
    pd.testing.assert_frame_equal(facts.steps, steps)
    pd.testing.assert_frame_equal(facts.samples, samples)
