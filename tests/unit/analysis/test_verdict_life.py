"""An episode opens, grows, closes, is merged or taken back when facts come late; every version stays and says why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.job import analyse
from analysis.replay import Result, replay
from analysis.settings import AnalysisSettings
from collector.model.run import Phase, Run
from collector.model.verdict import Reference, Status, Verdict
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.memory import MemoryStore
from tests.worlds.generator import START, WIFI, WIRED, Fault, World, runs

FAST = AnalysisSettings(seasonal=False, references=(Reference.EXPECTED,))
FAULT = Fault(seconds={Phase.SERVER_DB: 0.3}, steps=["save"], populations=[WIFI])
WORLD = World(seconds=2600.0, every=10.0, sampled=False, populations=[WIRED, WIFI])
BAD = {Status.SLOW, Status.FAILING}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def walked(*spans: tuple[float, float]) -> list[Run]:
    """Walk, slowly in these spans from WiFi; saving alone is looked at."""
    made = runs(replace(WORLD, faults=[replace(FAULT, start=start, end=end) for start, end in spans]))
    return [replace(run, steps=tuple(step for step in run.steps if step.step == "save")) for run in made]


QUIET, ONCE, TWICE = walked(), walked((600, 1200)), walked((600, 800), (1000, 1200))


class Place:
    """A store and a registry that are told some runs now and others later."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.registry = DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
        self.sent: set[str] = set()

    def feed(self, made: Sequence[Run], until: float, *, without: Callable[[float], bool] = lambda _: False) -> None:
        """Send what was not sent yet, but from WiFi nothing of the seconds ``without``."""
        rows = [run for run in made if run.slot < at(until) and run.run_id not in self.sent]
        rows = [
            run for run in rows if run.access.population == WIRED or not without((run.slot - START).total_seconds())
        ]
        self.sent.update(run.run_id for run in rows)
        self.store.append(Batch(batch_id=f"a:{len(self.sent)}", sender="a", runs=tuple(rows)))

    def analyse(self, seconds: float) -> list[Verdict]:
        return [v for v in analyse(self.store, self.registry, FAST, now=at(seconds)) if v.status in BAD]

    def listed(self) -> list[Verdict]:
        return list(self.registry.verdicts(START, at(9000)))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()
    made.registry.close()


def test_an_episode_nobody_saw_in_time_becomes_a_verdict_when_its_runs_arrive(place: Place) -> None:
    place.feed(ONCE, 2300, without=lambda seconds: 590 <= seconds < 1300)
    assert place.analyse(2300) == []
    place.feed(ONCE, 2360)
    assert place.analyse(2360) == []  # it is of then, not of now
    (found,) = place.listed()
    assert (found.step, found.population, found.open, found.version) == ("save", WIFI, False, 1)
    assert abs((found.start - at(600)).total_seconds()) <= 20
    place.feed(ONCE, 2420)
    place.analyse(2420)
    assert place.listed() == [found]  # judged again once


def test_two_episodes_whose_gap_late_runs_close_become_one(place: Place) -> None:
    late = lambda seconds: 800 <= seconds < 1000 and seconds % 20 != 0  # noqa: E731
    place.feed(TWICE, 900, without=late)
    (first,) = place.analyse(900)
    place.feed(TWICE, 1260, without=late)
    second = next(one for one in place.analyse(1260) if one.id != first.id)
    place.feed(TWICE, 2300, without=late)
    place.analyse(2300)
    assert {one.id for one in place.listed()} == {first.id, second.id}
    place.feed(ONCE, 2360)  # every second run of the gap was slow
    place.analyse(2360)
    (one,) = place.listed()
    assert (one.id, one.start) == (first.id, first.start)
    assert one.end >= second.end
    assert any("came late" in words for words in one.changed)
    assert any(second.id in words for words in one.changed)
    gone = place.registry.verdict(second.id)
    assert gone is not None
    assert (gone.merged_into, gone.open) == (first.id, False)
    assert place.registry.verdict(second.id, 1) == second


def test_a_verdict_is_taken_back_when_late_runs_show_a_quiet_time(place: Place) -> None:
    late = lambda seconds: 600 <= seconds < 900 and seconds % 30 != 0  # noqa: E731
    place.feed(ONCE, 900, without=late)
    (told,) = place.analyse(900)
    place.feed(QUIET, 2300, without=late)
    place.analyse(2300)
    assert [one.id for one in place.listed()] == [told.id]
    place.feed(QUIET, 2360)
    place.analyse(2360)
    assert place.listed() == []
    now = place.registry.verdict(told.id)
    assert now is not None
    assert (now.status, now.start) == (Status.NORMAL, told.start)
    assert "came late" in now.changed[0]
    assert place.registry.verdict(told.id, 1) == told


def test_it_is_drawn_again_with_the_settings_of_then_and_says_what_is_different_today(place: Place) -> None:
    place.feed(ONCE, 900)
    (first,) = place.analyse(900)
    place.feed(ONCE, 1500)
    (closed,) = place.analyse(1500)
    assert (first.open, closed.version, closed.open) == (True, 2, False)
    assert "it ended" in closed.changed
    assert any(words.startswith("it grew by") for words in closed.changed)
    today = AnalysisSettings(seasonal=False, level=0.51, history_seconds=60.0)
    older = replace(closed, made_with={**(closed.made_with or {}), "numpy": "1.0"})
    of_first, of_older = (replay(place.store, place.registry, today, one) for one in (first, older))
    assert (of_first.result, of_older.result) == (Result.EQUAL, Result.EQUAL)
    assert "analysis.level was 0.9 then, and that was taken; it is 0.51 today" in of_first.notes
    assert any(note.startswith("numpy was 1.0 then") for note in of_older.notes)
