"""What moved beside a slow step is held against its course: after it, with people, along, or apart (synthetic)."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from analysis.association import associations
from analysis.conclude import conclude
from analysis.episode import Episode
from analysis.narrowing import Part, narrow
from analysis.nearby import nearby
from analysis.onset import Track, When, lag
from analysis.statistics import Floats
from analysis.surroundings import surroundings
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, Interval, LayerState, MethodUse, Reference
from deploy.bench.covariates import CPU, PEOPLE, SETTINGS, WORLDS, blamed, findings, window

NONE = np.zeros((0, 100))


def track(moves_at: float, *, smooth: int = 1, seed: int = 0, every: float = 5.0) -> Track:
    at = np.arange(-300.0, 150.0, every)
    rough = np.random.default_rng(seed).normal(0.0, 0.05, len(at) + smooth - 1)
    level = (np.concatenate([np.full(smooth - 1, at[0]), at]) >= moves_at).astype(float)
    values = np.convolve(level + rough, np.ones(smooth) / smooth, "valid")
    calm = values[at < min(0.0, moves_at)]
    quiet, edge = float(np.median(calm)), float(np.quantile(calm, 0.95))
    return Track(at=at, values=values, quiet=quiet, during=1.0, edge=edge, interval=every)


@pytest.mark.parametrize(
    ("moves_at", "when"), [(-60.0, When.BEFORE), (0.0, When.WITH), (5.0, When.WITH), (60.0, When.AFTER)]
)
def test_when_a_metric_moved(moves_at: float, when: When) -> None:
    found = {lag(track(0.0, seed=seed), track(moves_at, seed=100 + seed), 1.0).when for seed in range(20)}
    assert found == {when}


def test_a_delay_that_sampling_may_have_made_is_not_after() -> None:
    every = [lag(track(0.0, seed=seed), track(20.0, seed=seed + 50, every=15.0), 1.0).when for seed in range(20)]
    assert When.AFTER not in every
    assert lag(track(0.0), track(60.0, seed=1), skew=90.0).when is not When.AFTER


def test_a_mean_over_minutes_answers_late_and_is_not_called_after() -> None:
    found = [lag(track(0.0, seed=seed), track(0.0, seed=seed + 50, smooth=24), 1.0).when for seed in range(20)]
    assert When.AFTER not in found


def bursts(seed: int) -> Floats:
    turns = np.cumsum(np.random.default_rng(seed).uniform(3, 12, 60))
    return np.asarray(np.searchsorted(turns, np.arange(100.0)) % 2 == 0, dtype=float)


def test_what_follows_is_closer_than_every_control_and_chance_is_not() -> None:
    noise = np.random.default_rng(3)
    step, follower = (bursts(1) + noise.normal(0, 0.2, 100) for _ in range(2))
    [close] = associations(step, follower[None, :], NONE, NONE)
    assert close.as_close == 0
    assert close.along
    courses = np.array([bursts(seed) for seed in range(10, 210)])
    chance = [one.along for one in associations(step, courses, NONE, NONE)]
    assert sum(chance) <= 10


def test_a_metric_that_comes_two_intervals_earlier_is_found_there() -> None:
    step = bursts(1)
    [close] = associations(step, np.roll(step, -2)[None, :], NONE, NONE)
    assert close.lag == 2
    assert close.r == pytest.approx(1.0, abs=0.05)


def test_what_the_people_explain_is_no_association() -> None:
    people = np.convolve(np.random.default_rng(4).normal(0, 1, 104), np.ones(5), "valid")
    noise = np.random.default_rng(5)
    step, metric = (people + noise.normal(0, 0.3, 100) for _ in range(2))
    assert associations(step, metric[None, :], NONE, NONE)[0].r > 0.8
    assert abs(associations(step, metric[None, :], people[None, :], NONE)[0].r) < 0.3


def test_neighbours_that_go_along_as_closely_take_the_significance_away() -> None:
    step = bursts(1)
    neighbours = np.array([step + np.random.default_rng(seed).normal(0, 0.01, 100) for seed in range(4)])
    course = (step * 0.9 + 0.1 * bursts(7))[None, :]
    [alone], [among] = associations(step, course, NONE, NONE), associations(step, course, NONE, neighbours)
    assert alone.along
    assert not among.along


def test_a_periodic_fault_and_a_short_time_prove_nothing() -> None:
    wave = np.asarray(np.arange(100) // 10 % 2, dtype=float)
    assert not associations(wave, wave[None, :], NONE, NONE)[0].along
    [short] = associations(bursts(1)[:35], bursts(1)[None, :35], NONE[:, :35], NONE[:, :35])
    assert (short.enough, short.along) == (False, False)


@lru_cache(maxsize=16)
def judged(name: str) -> tuple[Window, Episode, tuple[Finding, ...]]:
    facts = window(WORLDS[name], 1)
    episode, found = max(findings(facts), key=lambda one: one[0].end - one[0].start)
    return facts, episode, tuple(found)


def rules(name: str) -> dict[str, str]:
    told = [evidence for finding in judged(name)[2] for evidence in finding.evidence]
    return {one.source["metric"]: one.rule for one in told if one.rule.startswith("covariation.")}


@pytest.mark.parametrize(
    ("name", "said", "before", "after"),
    [
        ("the code waits; the processor busy a minute later", "after", [Layer.APP_SERVER], []),
        ("the code waits on and off; the processor busy with people", "demand", [Layer.APP_SERVER], []),
        ("the processor is why, on and off", "along", [Layer.APP_SERVER], [Layer.APP_SERVER]),
        ("the processor is why", "unsettled", [Layer.APP_SERVER], [Layer.APP_SERVER]),
        (
            "the processor is why, on and off; time stolen beside it",
            "along",
            [Layer.VIRTUALISATION],
            [Layer.APP_SERVER],
        ),
    ],
)
def test_who_is_blamed(name: str, said: str, before: list[Layer], after: list[Layer]) -> None:
    _, episode, found = judged(name)
    assert rules(name)[CPU[1]] == f"covariation.{said}"
    assert blamed(episode, found, covariation=False) == before
    assert blamed(episode, found) == after


def test_what_is_taken_back_is_shown_as_speaking_against_and_clears_nobody() -> None:
    facts, _, _ = judged("the code waits; the processor busy a minute later")
    [verdict] = [
        one for one in conclude(facts, Reference.EXPECTED, SETTINGS, now=facts.end) if one.population.link == "wifi"
    ]
    server = next(layer for layer in verdict.layers if layer.layer is Layer.APP_SERVER)
    assert server.state is LayerState.INCONCLUSIVE
    assert {"infrastructure.system.cpu.utilization", "covariation.after"} <= {
        one.rule for one in server.evidence_against
    }
    assert "had slowed" in " ".join(one.text for one in server.evidence_against)
    assert "covariation" in {use.name for use in verdict.methods}


def test_how_many_people_were_at_work_clears_no_layer() -> None:
    facts = window(WORLDS["nothing is slow; people come, the database busy"], 0)
    facts = replace(facts, samples=facts.samples[facts.samples["metric"] == PEOPLE[1]])
    states = {
        layer.layer: layer.state
        for one in conclude(facts, Reference.EXPECTED, SETTINGS, now=facts.end)
        for layer in one.layers
    }
    assert states[Layer.REMOTE_SESSION] is LayerState.NOT_MEASURED


def moved(layer: Layer, metric: str, covariation: str | None) -> list[Finding]:
    rules = [f"infrastructure.{metric}", *([f"covariation.{covariation}"] if covariation else [])]
    source = {"metric": metric, "component": "one"}
    use = MethodUse(name="any", version="1")
    return [
        Finding(
            method=use,
            layer=layer,
            state=LayerState.INCONCLUSIVE,
            evidence=(Evidence(rule=rule, text=rule, supports=True, source=source),),
        )
        for rule in rules
    ]


@pytest.mark.parametrize(
    ("cpu", "steal", "named"),
    [
        ("along", "apart", (Layer.APP_SERVER,)),
        ("along", "unsettled", (Layer.VIRTUALISATION,)),
        ("along", "along", (Layer.VIRTUALISATION,)),
        ("unsettled", "apart", (Layer.APP_SERVER,)),
        (None, None, (Layer.VIRTUALISATION,)),
        (None, "after", (Layer.APP_SERVER,)),
        ("demand", "after", (Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION)),
    ],
)
def test_what_surely_does_not_go_along_names_nobody(
    cpu: str | None, steal: str | None, named: tuple[Layer, ...]
) -> None:
    found = [
        *moved(Layer.APP_SERVER, "system.cpu.utilization", cpu),
        *moved(Layer.VIRTUALISATION, "system.cpu.steal", steal),
    ]
    seconds = Interval(estimate=1.0, low=0.9, high=1.1)
    part = Part(among=(Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION), seconds=seconds)
    assert [one.among for one in narrow(part, surroundings(found))] == [named]


def test_another_window_of_the_same_episode_is_looked_at_anew() -> None:
    facts, episode, _ = judged("the processor is why")
    other = replace(facts, samples=facts.samples[facts.samples["metric"] != CPU[1]])
    first, second = nearby(facts, episode), nearby(other, episode)
    assert {one.metric.name for one in first.compared} - {one.metric.name for one in second.compared} == {CPU[1]}
    assert nearby(other, episode) is second
