"""What was slow all the time has one verdict of the whole window, also when it is long and nothing began in it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.job import analyse
from analysis.settings import AnalysisSettings
from analysis.why import why
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from collector.registries.database import DatabaseRegistry
from collector.registry import Registry
from collector.store import Batch, Store
from collector.stores.memory import MemoryStore
from tests.worlds.generator import START, WIFI, WIRED, Fault, World, runs

FAST = AnalysisSettings(seasonal=False, references=(Reference.TARGET,))
HOURS = 30
SEARCH = Fault(start=0.0, seconds={Phase.SERVER_DB: 0.5}, steps=["search"])
LINK = Fault(start=0.0, seconds={Phase.PROCESSING: 0.5}, steps=["open"], populations=[WIFI])
WORLD = World(
    seconds=HOURS * 3600.0, every=240.0, sampled=False, target=0.2, populations=[WIRED, WIFI], faults=[SEARCH, LINK]
)
WANTED = {"search", "open", "save"}
END = START + timedelta(hours=HOURS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Registry]]:
    folder: Path = tmp_path_factory.mktemp("standing")
    store, registry = MemoryStore(), DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    walked = [replace(run, steps=tuple(one for one in run.steps if one.step in WANTED)) for run in runs(WORLD)]
    store.append(Batch(batch_id="a:1", sender="a", runs=tuple(walked)))
    analyse(store, registry, FAST, now=START + timedelta(hours=3))
    yield store, registry
    store.close()
    registry.close()


def asked(place: tuple[Store, Registry], against: Reference, hours: float) -> list[Verdict]:
    return why(*place, FAST, start=END - timedelta(hours=hours), end=END, against=against, now=END)


@pytest.mark.parametrize("hours", [2, HOURS])
def test_a_target_missed_since_ever_is_one_verdict_of_the_whole_window_with_its_layers(
    place: tuple[Store, Registry], hours: int
) -> None:
    assert place[1].verdicts(START, END)  # an analysis spoke of a piece of it
    found = asked(place, Reference.TARGET, hours)
    told = {(one.step, one.population): one for one in found}
    assert len(told) == len(found)  # one word for each
    missed = {("search", WIRED), ("search", WIFI), ("open", WIFI)}
    assert {what for what, one in told.items() if one.status is Status.SLOW} == missed
    assert {told["save", link].status for link in (WIRED, WIFI)} == {Status.NORMAL}
    for link in (WIRED, WIFI):
        one = told["search", link]
        assert (Layer.DATABASE, Layer.STORAGE) in one.inseparable
        assert one.excess_seconds is not None
        assert one.excess_seconds.estimate == pytest.approx(0.34, abs=0.1)
    assert told["open", WIFI].end - told["open", WIFI].start >= timedelta(hours=hours - 1)
    assert ("slow in 30 of 30 hours" in told["search", WIFI].data_quality[0]) == (hours == HOURS)


def test_an_access_beaten_by_another_in_every_hour_is_one_verdict(place: tuple[Store, Registry]) -> None:
    found = [one for one in asked(place, Reference.REFERENCE, HOURS) if one.step != "search"]
    (slow,) = [one for one in found if one.status is Status.SLOW]
    assert (slow.step, slow.population, slow.start, slow.end) == ("open", WIFI, START, END)
    assert any(Layer.ACCESS_NETWORK in group for group in slow.inseparable)
