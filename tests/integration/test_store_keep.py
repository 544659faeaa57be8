"""How long the lake keeps what: rows by whole days, their summaries longer, pinned snapshots with their files."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from collector.model.errors import NotInStore
from collector.store import Every, Keep
from collector.stores.lake import LakeStore
from tests.stores.facts import EVER, T0, batch, run, sample, step

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)
MONTH = 30 * DAY


def days(store: LakeStore, name: str = "steps", snapshot: int | None = None) -> list[int]:
    column = "slot" if name == "steps" else "at"
    return [value.day for value in store.scan(name, EVER, columns=[column], snapshot=snapshot)[column].to_pylist()]


def fill(store: LakeStore, count: int) -> None:
    for number in range(count):
        at = T0 + number * DAY
        store.append(batch(number, run(number, step(1.0 + number), at=at), samples=(sample(1.0, at),)))
    store.flush()


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "lake/data/main/steps").rglob("*.parquet"))


def test_old_rows_go_by_whole_days_and_their_summaries_stay(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, keep=Keep(rows=MONTH), flush_seconds=None)) as store:
        fill(store, 3)
        assert store.status().rows_since is None
        hours, trend = store.hourly(EVER), store.trend("steps", EVER, every=Every.DAY)
        store.maintain(T0 + MONTH + DAY)  # eight in the morning: the day after T0's is kept whole
        assert days(store) == days(store, "samples") == [3, 4]
        assert store.status().rows_since == (T0 + DAY).replace(hour=0)
        assert store.hourly(EVER).equals(hours)
        assert store.trend("steps", EVER, every=Every.DAY).equals(trend)
        store.maintain(T0 + MONTH + DAY + timedelta(hours=1))
        folders = {path.parent.name for path in (tmp_path / "lake/data/main/steps").rglob("*.parquet")}
        assert folders == {"day=3", "day=4"}


def test_rows_that_come_after_their_time_change_no_summary(tmp_path: Path) -> None:
    late = T0 + MONTH + DAY
    with closing(LakeStore(tmp_path, keep=Keep(rows=MONTH), flush_seconds=None)) as store:
        fill(store, 2)
        store.maintain(late)
        hours = store.hourly(EVER)
        store.append(batch(9, run(9, step(99.0))))
        assert store.hourly(EVER).equals(hours)
        store.flush()
        assert store.hourly(EVER).equals(hours)
    with closing(LakeStore(tmp_path, keep=Keep(rows=2 * MONTH), flush_seconds=None)) as store:
        store.maintain(late)
        assert days(store) == [3]
        assert store.hourly(EVER).equals(hours)
        assert store.trend("steps", EVER, every=Every.DAY)["maximum"].to_pylist() == [1.0, 2.0]


def test_a_pinned_snapshot_keeps_its_files_until_pins_end(tmp_path: Path) -> None:
    ahead = timedelta(hours=1)  # than the clock by which snapshots are dated: past the grace of ten minutes
    with closing(LakeStore(tmp_path, keep=Keep(rows=MONTH), flush_seconds=None)) as store:
        fill(store, 2)
        pinned = store.flush()
        store.pin(pinned)
        now = T0 + 2 * MONTH
        store.maintain(now)
        store.maintain(now + ahead)
        assert days(store) == []
        assert days(store, snapshot=pinned) == [2, 3]
        assert store.status().bytes_kept_by_pins > 0
        assert bytes_of(tmp_path) > 0
    keep = Keep(rows=MONTH, pinned=timedelta(0))
    with closing(LakeStore(tmp_path, keep=keep, flush_seconds=None)) as store:
        assert store.status().bytes_kept_by_pins > 0
        for hours in (2, 4, 6):
            store.maintain(now + hours * ahead)
        with pytest.raises(NotInStore):
            days(store, snapshot=pinned)
        assert store.status().bytes_kept_by_pins == 0
        assert bytes_of(tmp_path) == 0


def test_summaries_go_when_that_is_asked_for(tmp_path: Path) -> None:
    keep = Keep(rows=MONTH, rollups=2 * MONTH)
    with closing(LakeStore(tmp_path, keep=keep, flush_seconds=None)) as store:
        fill(store, 2)
        store.maintain(T0 + 2 * MONTH + DAY)
        assert [hour.day for hour in store.hourly(EVER)["hour"].to_pylist()] == [3]
        assert [day["period"].day for day in store.trend("samples", EVER, every=Every.DAY).to_pylist()] == [3]


def test_a_restart_knows_what_waits_to_be_summarised(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        fill(store, 2)
        store.maintain(T0 + DAY)
        store.append(batch(8, run(8, step(50.0)), samples=(sample(50.0),)))
    with closing(LakeStore(tmp_path, keep=Keep(rows=MONTH), flush_seconds=None)) as store:
        store.maintain(T0 + 2 * MONTH)  # summarises, and only then removes
        assert days(store) == []
        assert store.hourly(EVER)["runs"].to_pylist() == [2, 1]
        for name in ("steps", "samples"):
            assert store.trend(name, EVER, every=Every.DAY)["maximum"].to_pylist() == [
                50.0,
                2.0 if name == "steps" else 1.0,
            ]


def test_a_day_of_very_many_series_is_summarised_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.stores._rollup._GROUPS_AT_ONCE", 2)
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        store.append(batch(1, samples=tuple(sample(1.0 + n, T0, f"lun-{n % 7}") for n in range(21))))
        before = store.trend("samples", EVER, every=Every.DAY, by=["component"])
        store.maintain(T0 + 2 * DAY)
        with store._root.cursor() as cursor:
            (rows,) = cursor.execute("SELECT count(*) FROM lake.daily_samples").fetchall()[0]
        assert rows == 7
        assert store.trend("samples", EVER, every=Every.DAY, by=["component"]).equals(before)
