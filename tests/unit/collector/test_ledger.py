"""The ledger: each trouble once, ended when it ends, withdrawn when there was none, and never a secret."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.importer import Imported
from collector.model.errors import SourceError
from collector.model.facts import Facts
from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind
from collector.model.sample import Sample
from collector.poll import Reading
from collector.quality import runs
from collector.quality.doors import DoorNotes
from collector.quality.every_minute import EveryMinute
from collector.quality.files import doubts
from collector.quality.ledger import between
from collector.quality.reading import SourceWatch
from collector.store import Batch, Slice
from collector.stores.memory import MemoryStore
from tests.stores.facts import run

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CANARY = "c4nary-S3cret"


def sample(
    component: str, value: float = 0.5, metric: str = "db.busy", at: datetime = NOW, *, layer: Layer = Layer.DATABASE
) -> Sample:
    return Sample(site="s", component=component, layer=layer, metric=metric, at=at, value=value)


class Scripted:
    """A source that says each time what it is told to."""

    def __init__(self) -> None:
        self.says: Facts | SourceError = Facts()

    def read(self) -> Facts:
        if isinstance(self.says, SourceError):
            raise self.says
        return self.says

    def close(self) -> None:
        self.says = Facts()


class Day:
    """A collector whose time is set by hand: a source that is read, and the look of every minute."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.now, self.store, self.source = NOW, store or MemoryStore(), Scripted()
        watch = SourceWatch(store=self.store, site="s", component="db-1", name="scripted db-1")
        self.notes = DoorNotes(site="s", clock=lambda: self.now)
        self.every_minute = EveryMinute(store=self.store, site="s", notes=self.notes)
        self.reading = Reading(
            source=self.source, store=self.store, name="scripted db-1", clock=lambda: self.now, watch=watch
        )

    def read(self, minutes: float, says: Facts | SourceError) -> list[QualityEvent]:
        self.now, self.source.says = NOW + timedelta(minutes=minutes), says
        self.reading()
        return self.entries()

    def look(self, minutes: float, *samples: Sample) -> list[QualityEvent]:
        """Let samples arrive, those without a time of their own in this minute, and look."""
        self.now = NOW + timedelta(minutes=minutes)
        told = tuple(replace(one, at=self.now) if one.at == NOW else one for one in samples)
        self.store.append(Batch(batch_id=f"x:{minutes}", sender="x", samples=told))
        self.every_minute.look(self.now)
        return self.entries()

    def looks(self, minutes: Iterable[int], *samples: Sample) -> list[QualityEvent]:
        """Let the same samples arrive at each of these minutes."""
        return [self.look(minute, *samples) for minute in minutes][-1]

    def entries(self) -> list[QualityEvent]:
        return between(self.store, NOW - timedelta(hours=1), NOW + timedelta(days=1))


def test_a_failing_source_is_one_entry_that_ends_and_names_the_layers_without_secrets() -> None:
    day = Day()
    day.read(0, Facts(samples=(sample("db-1"),)))
    away = SourceError(f"postgresql://me:{CANARY}@db does not answer, password={CANARY} token {CANARY}")
    day.read(1, away)
    (lasting,) = day.read(5, away)
    assert (lasting.kind, lasting.subject, lasting.until) == (QualityKind.SOURCE_FAILURE, "db-1", None)
    assert lasting.layers == (Layer.DATABASE,)
    ever = Slice(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1))
    assert CANARY not in str(day.store.scan("ledger", ever).to_pylist())
    (ended,) = day.read(30, Facts(samples=(sample("db-1", at=NOW + timedelta(minutes=30)),)))
    assert (ended.until, ended.amount, ended.layers) == (NOW + timedelta(minutes=30), 29 * 60, (Layer.DATABASE,))


def test_a_source_that_tells_later_what_it_had_measured_leaves_no_layer_unknown() -> None:
    day = Day()
    day.read(0, Facts(samples=(sample("db-1"),)))
    day.read(1, SourceError("away"))
    late = tuple(sample("db-1", at=NOW + timedelta(minutes=minute)) for minute in range(2, 31))
    (ended,) = day.read(30, Facts(samples=late))
    assert (ended.amount, ended.layers) == (29 * 60, ())


def test_a_failure_that_an_earlier_process_left_open_is_ended_by_the_next() -> None:
    store = MemoryStore()
    assert Day(store).read(0, SourceError("away"))[0].until is None
    (ended,) = Day(store).read(10, Facts(samples=(sample("db-1"),)))
    assert ended.until == NOW + timedelta(minutes=10)


def test_a_component_of_which_nothing_comes_is_stale_until_it_does_and_late_samples_take_it_back() -> None:
    day = Day()
    day.looks(range(1, 5), sample("db-1"), sample("db-2"))
    assert day.looks((6, 9), sample("db-1")) == []
    (stale,) = day.look(10, sample("db-1"))
    assert (stale.kind, stale.subject, stale.until) == (QualityKind.STALE_SOURCE, "db-2", None)
    assert (stale.at, stale.layers) == (NOW + timedelta(minutes=4), (Layer.DATABASE,))
    day.look(11, sample("db-1"))
    (ended,) = day.look(12, sample("db-1"), sample("db-2"))
    assert (ended.until, ended.amount) == (NOW + timedelta(minutes=12), 8 * 60)
    day.look(29, sample("db-1"), *(sample("db-1", at=NOW + timedelta(minutes=minute)) for minute in range(13, 29)))
    assert len(day.entries()) == 2
    late = [sample("db-2", at=NOW + timedelta(minutes=minute)) for minute in range(13, 31)]
    assert day.look(30, sample("db-1"), *late) == [ended]


def test_what_a_failing_source_speaks_of_is_not_said_to_be_silent_as_well() -> None:
    day = Day()
    for minute in range(1, 5):
        day.look(minute, sample("db-1"))
        day.read(minute, Facts(samples=(sample("db-1", at=day.now),)))
    day.read(5, SourceError("away"))
    for minute in (6, 12, 19):
        assert [event.kind for event in day.look(minute)] == [QualityKind.SOURCE_FAILURE]


def test_a_slow_rhythm_is_learned_and_a_restart_knows_the_last_half_hour() -> None:
    day = Day()
    assert day.looks(range(10, 200, 10), sample("array")) == []
    again = Day(day.store)
    assert again.look(200) == []
    assert [event.subject for event in again.look(260)] == ["array"]


def test_a_file_of_last_year_is_neither_silent_nor_a_rhythm() -> None:
    day = Day()
    old = [sample("lun", at=NOW - timedelta(days=300, minutes=minute)) for minute in range(50)]
    assert day.look(1, *old) == []
    assert day.look(60) == []


@pytest.mark.parametrize("seconds", [40.0, -40.0])
def test_a_clock_that_is_forty_seconds_off_is_said_until_it_is_right(seconds: float) -> None:
    day = Day()
    (off,) = day.looks(range(1, 4), sample("desk-1", seconds, "agent.clock.skew", layer=Layer.ENDPOINT))
    assert (off.kind, off.subject, off.amount, off.until) == (QualityKind.CLOCK_SKEW, "desk-1", seconds, None)
    assert ("ahead" if seconds > 0 else "behind") in off.detail
    (right,) = day.looks(range(4, 8), sample("desk-1", 0.002, "agent.clock.skew", layer=Layer.ENDPOINT))
    assert right.until is not None
    assert (right.event_id, right.amount) == (off.event_id, seconds)


def test_one_late_answer_is_no_clock_that_is_off() -> None:
    day = Day()
    for minute, seconds in enumerate([0.01, 0.02, 30.0, 0.01, 0.02], start=1):
        assert day.look(minute, sample("desk-1", seconds, "agent.clock.skew", layer=Layer.ENDPOINT)) == []


def test_rows_an_agent_lost_are_one_entry_an_hour() -> None:
    day = Day()
    (first,) = day.look(1, sample("desk-1", 3.0, "agent.outbox.dropped", layer=Layer.ENDPOINT))
    (lost,) = day.look(2, sample("desk-1", 4.0, "agent.outbox.dropped", layer=Layer.ENDPOINT))
    assert first.event_id == lost.event_id
    assert (lost.kind, lost.amount, lost.unit) == (QualityKind.DROPPED_BATCH, 7.0, "rows")


def test_a_sampler_that_cannot_read_names_its_component_and_layers_until_it_can() -> None:
    day = Day()
    labels = {"sampler": "volume", "of": "lun-7", "layers": "storage", "reason": f"password={CANARY} is wrong"}
    failing = replace(sample("app-1", 1.0, "agent.sampler.failed", layer=Layer.ENDPOINT), labels=labels)
    (failed,) = day.look(1, failing)
    assert (failed.kind, failed.subject, failed.layers) == (QualityKind.SOURCE_FAILURE, "lun-7", (Layer.STORAGE,))
    assert failed.detail == "sampler volume on app-1: password=… is wrong"
    assert day.look(2) == [failed]
    (ended,) = day.look(3, replace(failing, value=0.0, labels={"sampler": "volume", "of": "lun-7"}))
    assert ended.until == NOW + timedelta(minutes=3)


def test_milliseconds_taken_for_seconds_are_one_entry_until_the_mapping_is_right() -> None:
    day = Day()
    (wrong,) = day.looks(range(1, 8), sample("lun", 4.0, "storage.lun.read.latency", layer=Layer.STORAGE))
    assert (wrong.kind, wrong.subject, wrong.until) == (QualityKind.UNIT_SURPRISE, "lun", None)
    assert "storage.lun.read.latency" in wrong.detail
    (right,) = day.looks(range(8, 28, 2), sample("lun", 0.004, "storage.lun.read.latency", layer=Layer.STORAGE))
    assert right.until is not None


def test_a_file_with_a_unit_in_doubt_has_entries_of_its_own_time() -> None:
    times = [NOW - timedelta(days=300, minutes=5 * number) for number in range(20)]
    shares = tuple(sample("array", 40.0, "storage.array.utilization", at, layer=Layer.STORAGE) for at in times)
    found = Imported(facts=Facts(samples=shares), warnings=["an hour came twice"])
    share, hour = sorted(doubts(found, site="s", kind="table", now=NOW), key=lambda event: event.kind, reverse=True)
    assert (share.kind, share.at, share.until) == (QualityKind.UNIT_SURPRISE, times[-1], times[0])
    assert (hour.kind, hour.subject, hour.detail) == (QualityKind.IMPORT_WARNING, "array", "an hour came twice")


def test_a_quiet_day_has_no_entry() -> None:
    day = Day()
    for minute in range(1, 30):
        machine = sample("app-1", 0.2 + minute % 7 / 100, "system.cpu.utilization", layer=Layer.APP_SERVER)
        disk = sample("lun", 0.002 + minute % 5 / 1000, "storage.lun.read.latency", layer=Layer.STORAGE)
        clock = sample("desk-1", 0.01, "agent.clock.skew", layer=Layer.ENDPOINT)
        able = replace(sample("desk-1", 0.0, "agent.sampler.failed", layer=Layer.ENDPOINT), labels={"sampler": "host"})
        walked = run(minute, at=NOW + timedelta(minutes=minute))
        day.store.append(Batch(batch_id=f"r:{minute}", sender="r", runs=(walked,)))
        assert day.look(minute, machine, disk, clock, able) == []


def test_a_gap_and_an_edit_are_told_once_and_late_rows_withdraw_the_gap() -> None:
    store, now = MemoryStore(), NOW + timedelta(hours=1)
    slots = [minute for minute in range(60) if not 20 < minute < 40]
    walked = [run(minute, at=NOW + timedelta(minutes=minute)) for minute in slots]
    walked = [replace(one, journey_hash="b" * 16) if one.slot >= NOW + timedelta(minutes=50) else one for one in walked]
    store.append(Batch(batch_id="a:1", sender="a", runs=tuple(walked)))
    assert runs.look(store, now=now) == 2
    assert runs.look(store, now=now + timedelta(minutes=1)) == 0
    gap, edit = between(store, NOW, now)
    assert (gap.kind, gap.amount, gap.subject) == (QualityKind.GAP, 20 * 60, "desk-1")
    assert (edit.kind, edit.detail) == (QualityKind.JOURNEY_EDIT, f"0123456789abcdef became {'b' * 16}")
    late = [run(100 + minute, at=NOW + timedelta(minutes=minute)) for minute in range(21, 40)]
    store.append(Batch(batch_id="a:2", sender="a", runs=tuple(late)))
    runs.look(store, now=now + timedelta(minutes=2))
    assert [event.kind for event in between(store, NOW, now)] == [QualityKind.JOURNEY_EDIT]


def test_what_doors_refuse_is_told_once_and_once_more_when_the_hour_is_over() -> None:
    now = [NOW]
    notes = DoorNotes(site="s", clock=lambda: now[0])
    notes.refused("desk-1", 3, f"password={CANARY} is no number")
    (first,) = notes.take()
    for _ in range(999):
        notes.refused("desk-1", 3, "another reason")
    assert (first.amount, notes.take()) == (3.0, [])
    now[0] = NOW + timedelta(hours=1)
    (event,) = notes.take()
    assert (event.event_id, event.amount, event.unit, event.subject) == (first.event_id, 3000.0, "rows", "desk-1")
    assert CANARY not in event.detail
    assert notes.take() == []


def test_a_site_that_was_forgotten_is_not_named_again_because_it_is_silent() -> None:
    day = Day()
    for minute in range(5):
        day.look(minute, sample("db-9"))
    day.store.forget("s")
    assert day.look(30) == []
    for minute in range(31, 36):
        day.look(minute, sample("db-9"))
    assert [event.subject for event in day.look(60)] == ["db-9"]  # what came later is new, and watched
