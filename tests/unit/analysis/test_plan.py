"""What a plan calls inseparable a verdict cannot separate; with what it says to add, the verdict does."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from analysis.additions import additions
from analysis.conclude import conclude
from analysis.identifiability import answer, groups
from analysis.plan import Only, sights
from analysis.settings import AnalysisSettings
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from tests.worlds.culprits import SYNC
from tests.worlds.generator import METRICS, WIFI, WIRED, Fault, World, window

FAST = AnalysisSettings(seasonal=False)
BOTH = (WIRED, WIFI)
SHIFTS = {("db-1", "db.busy"): 0.3}
QUERY = Fault(seconds={Phase.SERVER_DB: 0.5}, shifts=SHIFTS)
DISK = Fault(seconds={Phase.SERVER_DB: 0.5}, shifts=SYNC)
CORE = Fault(seconds={Phase.PROCESSING: 0.4})


def _sampled(world: World, *components: str) -> World:
    more = {name: value for name, value in METRICS.items() if name[0] in components}
    known = world.metrics if world.sampled else {}
    return replace(world, sampled=True, metrics={**known, **more})


# How the made-up world gets what a plan adds.
MADE: Mapping[str, Callable[[World], World]] = {
    "access wired": lambda world: replace(
        world, populations=BOTH, faults=[replace(fault, populations=BOTH) for fault in world.faults]
    ),
    "server account": lambda world: replace(world, server_timing=True),
    "host": lambda world: _sampled(world, "app-1"),
    "volume": lambda world: _sampled(world, "lun-1"),
    "new connection": lambda world: replace(
        world, faults=[replace(one, seconds={**one.seconds, Phase.CONNECT: 0.1}) for one in world.faults]
    ),
}
WORLDS: Mapping[str, tuple[World, str, Layer]] = {
    "one access, no account, a slow query": (
        World(populations=[WIFI], server_timing=False, sampled=False, faults=[replace(QUERY, populations=[WIFI])]),
        "login",
        Layer.DATABASE,
    ),
    "nobody watches the disk, which is slow": (
        World(populations=BOTH, metrics={("app-1", "system.cpu.steal"): 0.001}, faults=[DISK]),
        "save",
        Layer.STORAGE,
    ),
    "connections are kept, the core waits": (World(populations=BOTH, faults=[CORE]), "open", Layer.NETWORK_CORE),
}


def said(world: World, step: str) -> Verdict:
    whole = window(world)
    facts = replace(whole, steps=whole.steps[whole.steps["step"] == step].reset_index(drop=True))
    found = conclude(facts, Reference.EXPECTED, FAST, now=facts.end)
    return next(v for v in found if v.step == step and v.population == WIFI and v.status is Status.SLOW)


@pytest.mark.parametrize("name", WORLDS)
def test_what_the_plan_adds_tells_apart_what_was_together(name: str) -> None:
    world, step, truth = WORLDS[name]
    before = said(world, step)
    (_, sight, around) = next(iter(sights(window(world), Only(step=step, access="wifi"))))
    (group,) = [one for one in groups(sight, additions(sight, around), Status.SLOW) if truth in one.layers]
    assert {frozenset(layers) for layers in before.inseparable} == {frozenset(group.layers)}
    assert before.blamed == ()
    assert group.additions
    assert group.left == ()
    for addition in group.additions:
        world = MADE[addition.name](world)
    after = said(world, step)
    assert [layer.layer for layer in after.blamed] == [truth]
    assert after.inseparable == ()


def test_costs_are_stated_and_rise() -> None:
    world, step, _ = WORLDS["one access, no account, a slow query"]
    (_, sight, around) = next(iter(sights(window(world), Only(step=step))))
    more = additions(sight, around)
    assert [one.cost.order for one in more] == sorted(one.cost.order for one in more)
    assert {one.cost.runs_per_hour for one in more if one.vantages} == {720.0}
    assert all(name in CATALOGUE for one in more for _, name in one.measured)
    assert all(one.to(sight) != sight for one in more)
    assert answer(sight, Layer.ENDPOINT, Status.SLOW) == frozenset()
