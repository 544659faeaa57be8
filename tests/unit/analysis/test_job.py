"""The regular analysis against real stores: ids hold, versions grow, what is said now is replaced."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.job import analyse, concluded
from analysis.loading import WEEKS, load_at
from analysis.settings import AnalysisSettings
from analysis.why import why
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from collector.registries.database import DatabaseRegistry
from collector.store import Batch, Slice
from collector.stores.memory import MemoryStore
from tests.worlds.culprits import CULPRITS
from tests.worlds.generator import START, Fault, World, runs, samples

FAST = AnalysisSettings(seasonal=False)
BAD = {Status.SLOW, Status.FAILING}
TRUTH, STORAGE = CULPRITS["the storage under the database is slow"]
WORLD = replace(
    STORAGE,
    seconds=900.0,
    faults=[replace(STORAGE.faults[0], steps=["save"], end=700.0)],
    populations=STORAGE.populations,
)
MINUTE = timedelta(minutes=1)


class Place:
    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.registry = DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
        self.sent = 0

    def feed(self, world: World, start: datetime, end: datetime) -> None:
        self.sent += 1
        batch = Batch(
            batch_id=f"agent-1:{self.sent}",
            sender="agent-1",
            runs=tuple(run for run in runs(world) if start <= run.slot < end),
            samples=tuple(sample for sample in samples(world) if start <= sample.at < end),
        )
        self.store.append(batch)

    def bad(self, now: datetime) -> list[Verdict]:
        return [v for v in analyse(self.store, self.registry, FAST, now=now) if v.status in BAD]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.store.close()
    made.registry.close()


def test_an_episode_keeps_its_id_while_versions_grow_and_then_closes(place: Place) -> None:
    until = START
    seen: dict[int, list[Verdict]] = {}
    for seconds in (590, 660, 700, 800, 860):
        now = START + timedelta(seconds=seconds)
        place.feed(WORLD, until, now)
        until = now
        seen[seconds] = place.bad(now)
    assert seen[590] == []
    assert {v.blamed[0].layer for v in seen[660]} == {TRUTH}
    assert all(v.open and v.version == 1 for v in seen[660])
    for later in (700, 800, 860):
        assert {v.id for v in seen[later]} == {v.id for v in seen[660]}
    assert not any(v.open for v in seen[800])
    assert seen[860] == seen[800]
    assert {v.reached_at for v in seen[860]} == {START + timedelta(seconds=660)}
    standing = {(v.step, v.population): v.status for v in place.registry.standing()}
    assert set(standing.values()) == {Status.NORMAL}
    stored = place.registry.verdicts(START, until)
    assert {v.id for v in stored} == {v.id for v in seen[860]}
    first = place.registry.verdict(stored[0].id, 1)
    assert first is not None
    assert first.open


def test_a_stored_verdict_is_drawn_again_from_its_own_snapshot_and_window(place: Place) -> None:
    until = START
    for seconds in (660, 700, 800):
        now = START + timedelta(seconds=seconds)
        place.feed(WORLD, until, now)
        until = now
        place.bad(now)
    stored = [place.registry.verdict(v.id, n) for v in place.registry.verdicts(START, until) for n in (1, v.version)]
    assert len({v.snapshot for v in stored if v}) > 1
    for old in stored:
        assert old is not None
        assert old.facts_start
        assert old.facts_end
        assert old.facts_since
        period = (old.facts_start, old.facts_end, old.facts_since)
        hourly = place.store.hourly(Slice(start=period[0] - WEEKS, end=period[1]), snapshot=old.snapshot)
        facts = load_at(place.store, place.registry, FAST, period, old.snapshot, hourly)
        assert facts.digest == old.digest
        again = next(v for v in concluded(facts, FAST, until) if _about(v) == _about(old))
        again = replace(again, id=old.id, version=old.version, reached_at=old.reached_at, start=old.start)
        assert replace(again, changed=old.changed) == old


def _about(verdict: Verdict) -> tuple[object, ...]:
    return verdict.step, verdict.population, verdict.against, verdict.status


@pytest.mark.parametrize(("hit", "status"), [(0.0, Status.NORMAL), (1.0, Status.NOT_ENOUGH_EVIDENCE)])
def test_a_run_every_five_minutes_is_normal_unless_its_few_runs_are_slow(
    place: Place, hit: float, status: Status
) -> None:
    hours = timedelta(hours=6)
    late = Fault(seconds={Phase.SERVER_DB: 1.0}, start=hours.total_seconds() - 800, hit=hit)
    place.feed(World(seconds=hours.total_seconds(), every=300.0, sampled=False, faults=[late]), START, START + hours)
    analyse(place.store, place.registry, AnalysisSettings(), now=START + hours)
    said = [v.status for v in place.registry.standing() if v.against is Reference.EXPECTED]
    assert len(said) == 15
    assert said.count(status) >= 14


def test_what_agents_say_of_their_clocks_is_read(place: Place) -> None:
    now = START + timedelta(seconds=300)
    place.feed(replace(WORLD, metrics={("pc-wifi-local", "agent.clock.skew"): 90.0}), START, now)
    analyse(place.store, place.registry, FAST, now=now)
    noted = {str(v.population) for v in place.registry.standing() if any("clocks differ" in n for n in v.data_quality)}
    assert noted == {"wifi"}


def test_what_is_said_now_is_the_open_verdict_itself(place: Place) -> None:
    now = START + timedelta(seconds=680)
    place.feed(WORLD, START, now)
    open_now = place.bad(now)
    said = [v for v in place.registry.standing() if v.status in BAD]
    assert sorted(said, key=lambda v: v.id) == sorted(open_now, key=lambda v: v.id)
    assert [place.registry.verdict(v.id) for v in open_now] == open_now


def test_a_pool_gives_the_same_answer(place: Place, tmp_path: Path) -> None:
    now = START + timedelta(seconds=680)
    place.feed(WORLD, START, now)
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.feed(WORLD, START, now)
    with ThreadPoolExecutor(1) as pool:
        pooled = analyse(place.store, place.registry, FAST, now=now, pool=pool)
    assert pooled == analyse(other.store, other.registry, FAST, now=now)
    other.store.close()
    other.registry.close()


def test_an_empty_store_is_no_error(place: Place) -> None:
    assert analyse(place.store, place.registry, FAST, now=START) == []
    for hours in (1, 24 * 30):
        window = (START - timedelta(hours=hours), START)
        asked = why(
            place.store, place.registry, FAST, start=window[0], end=window[1], against=Reference.EXPECTED, now=START
        )
        assert asked == []


def test_why_reads_any_window_and_a_quiet_one_is_normal(place: Place) -> None:
    end = START + timedelta(seconds=900)
    place.feed(WORLD, START, end)
    slow = why(
        place.store,
        place.registry,
        FAST,
        start=START + 10 * MINUTE,
        end=START + 11 * MINUTE,
        against=Reference.EXPECTED,
        now=end,
    )
    assert [layer.layer for layer in slow[0].blamed] == [Layer.STORAGE]
    quiet = why(
        place.store,
        place.registry,
        FAST,
        start=START + 5 * MINUTE,
        end=START + 9 * MINUTE,
        against=Reference.EXPECTED,
        now=end,
    )
    assert {v.status for v in quiet} == {Status.NORMAL}


def test_why_over_a_long_window_finds_what_no_verdict_covers(place: Place) -> None:
    day = World(
        seconds=86_400.0,
        every=120.0,
        sampled=False,
        drift=0.0,
        faults=[replace(WORLD.faults[0], start=36_000.0, end=43_200.0)],
    )
    place.feed(day, START, START + timedelta(days=1))
    end = START + timedelta(days=1)
    found = why(
        place.store,
        place.registry,
        FAST,
        start=START + timedelta(hours=5),
        end=end,
        against=Reference.EXPECTED,
        now=end,
    )
    bad = [v for v in found if v.status in BAD]
    assert {v.step for v in bad} == {"save"}
    assert {v.start for v in bad} == {START + timedelta(seconds=36_000)}
    assert all({Layer.DATABASE, Layer.STORAGE} <= set(group) for v in bad for group in v.inseparable)
    rest = [v for v in found if v.status not in BAD]
    assert {v.status for v in rest} == {Status.NORMAL}
    assert len(found) == 15
