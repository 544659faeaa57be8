"""How a source is read: what it gives is stored, and after a failure it waits longer each time."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.model.errors import PluginError, SourceError
from collector.model.facts import Facts
from collector.model.layer import Layer
from collector.model.sample import Sample
from collector.poll import Clockwork, Reading
from collector.settings import SourceSettings
from collector.store import Slice
from collector.stores.memory import MemoryStore

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVER = Slice(start=NOW - timedelta(days=1), end=NOW + timedelta(days=1))


class Scripted:
    """A source that gives what it was told: a number of samples, or an error."""

    def __init__(self, *script: int | SourceError) -> None:
        self.script = list(script)
        self.readings = 0

    def read(self) -> Facts:
        self.readings += 1
        what = self.script.pop(0)
        if isinstance(what, SourceError):
            raise what
        at = NOW + timedelta(seconds=self.readings)
        place = {"site": "s", "component": "c", "layer": Layer.DATABASE, "at": at}
        metrics = [f"m{number}" for number in range(what)]
        return Facts(samples=tuple(Sample(metric=metric, value=1.0, **place) for metric in metrics))  # type: ignore[arg-type]

    def close(self) -> None:
        self.script.clear()


def test_every_reading_is_stored() -> None:
    store, source = MemoryStore(), Scripted(2, 0, 1)
    reading = Reading(source=source, store=store, name="scripted")
    for _ in range(3):
        reading()
    assert store.scan("samples", EVER).num_rows == 3


def test_after_failures_it_waits_longer_and_then_goes_on() -> None:
    now = [NOW]
    source = Scripted(SourceError("away"), SourceError("away"), 1, 1)
    reading = Reading(source=source, store=MemoryStore(), name="scripted", clock=lambda: now[0])
    tried = []
    for second in range(0, 60, 5):
        now[0] = NOW + timedelta(seconds=second)
        before = source.readings
        if source.script:
            reading()
        if source.readings > before:
            tried.append(second)
    assert tried == [0, 10, 30, 35]


def test_after_a_permanent_failure_it_never_asks_again() -> None:
    now = [NOW]
    source = Scripted(SourceError("password refused", permanent=True), 1)
    reading = Reading(source=source, store=MemoryStore(), name="scripted", clock=lambda: now[0])
    for day in range(5):
        now[0] = NOW + timedelta(days=day)
        reading()
    assert source.readings == 1


def test_a_mistake_in_one_piece_of_work_does_not_end_the_clockwork() -> None:
    clockwork = Clockwork()
    done: list[int] = []

    def work() -> None:
        done.append(1)
        raise ZeroDivisionError

    clockwork.every(0.02, "work", work)
    clockwork.start()
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while len(done) < 3 and datetime.now(UTC) < deadline:
        time.sleep(0.02)
    clockwork.stop()
    assert len(done) >= 3


def test_a_source_that_is_not_known_is_refused(tmp_path: Path) -> None:
    entry = SourceSettings(kind="crystal_ball", component="c")
    with pytest.raises(PluginError, match="crystal_ball"):
        Clockwork().read(0, entry, site="s", store=MemoryStore(), data=tmp_path)
