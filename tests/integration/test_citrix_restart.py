"""After a restart the Citrix source goes on where it was: no hole and nothing twice, wherever it was killed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.model.errors import StoreFull
from collector.poll import Reading
from collector.sources.citrix.plugin import OpenCitrix
from collector.store import Batch, Slice
from collector.stores.memory import MemoryStore
from tests.doubles.monitor import Monitor
from tests.doubles.monitor_rows import T0, metric, session
from tests.integration.test_citrix_source import Clock, monitor, opened

__all__ = ["monitor"]
pytestmark = pytest.mark.integration
ALL = Slice(start=T0 - timedelta(days=1), end=T0 + timedelta(days=1))


class Full(MemoryStore):
    """A store that has no room the first time."""

    refused = False

    def append(self, batch: Batch) -> bool:
        if not self.refused:
            self.refused = True
            raise StoreFull("no room")
        return super().append(batch)


def resumed(monitor: Monitor, clock: Clock, data: Path) -> OpenCitrix:
    source = opened(monitor, clock)
    source.resume(data)
    return source


def fill(monitor: Monitor, first: int, last: int) -> None:
    for number in range(first, last):
        monitor.put("SessionMetrics", "Id", metric(number, 1, collected=number, modified=40 + number))


def ids(store: MemoryStore) -> list[datetime]:
    return [at.replace(tzinfo=UTC) for at in store.scan("samples", ALL).column("at").to_pylist()]


def test_a_restart_goes_on_where_it_was(monitor: Monitor, tmp_path: Path) -> None:
    clock, store = Clock(), MemoryStore()
    fill(monitor, 0, 10)
    source = resumed(monitor, clock, tmp_path)
    Reading(source=source, store=store, name="citrix")()
    source.close()
    fill(monitor, 10, 20)  # while nobody looked
    clock.at(120)
    source = resumed(monitor, clock, tmp_path)
    Reading(source=source, store=store, name="citrix")()
    assert sorted(ids(store)) == sorted(T0 + timedelta(seconds=number) for number in range(20) for _ in "ab")
    source.close()


@pytest.mark.parametrize("stored", [False, True])
def test_killed_before_or_after_the_store_had_it_is_the_same(monitor: Monitor, tmp_path: Path, stored: bool) -> None:
    clock, store = Clock(), MemoryStore()
    fill(monitor, 0, 10)
    source = resumed(monitor, clock, tmp_path)
    facts = source.read()
    if stored:
        store.append(Batch.of(facts, batch_id=f"collector:citrix:{source.name()}", sender="collector"))
    source.close()  # what a kill leaves: nobody said that it was kept
    fill(monitor, 10, 20)
    monitor.put("SessionMetrics", "Id", metric(3, 1, collected=3, modified=80))  # written anew meanwhile
    source = resumed(monitor, clock, tmp_path)
    reading = Reading(source=source, store=store, name="citrix")
    reading()
    reading()
    assert len(ids(store)) == 40
    assert len(set(ids(store))) == 20
    source.close()


def test_a_full_store_is_no_hole(monitor: Monitor) -> None:
    store = Full()
    monitor.put("Sessions", "SessionKey", session(1))
    reading = Reading(source=opened(monitor, Clock()), store=store, name="citrix")
    with pytest.raises(StoreFull):
        reading()
    reading()
    assert store.scan("sessions", ALL).column("synthetic").to_pylist() == [False]
