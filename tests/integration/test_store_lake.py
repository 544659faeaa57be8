"""What only the lake promises: restarts, one owner, a full disk, readers beside writers, its files."""

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector import tables
from collector.model.errors import StoreError, StoreFull
from collector.model.layer import Layer
from collector.model.sample import Sample
from collector.store import Batch, Slice
from collector.stores import _catalog
from collector.stores.lake import LakeStore

pytestmark = pytest.mark.integration

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
EVER = Slice(start=T0 - timedelta(days=400), end=T0 + timedelta(days=400))
TYPES = {
    "VARCHAR": pa.string(),
    "TIMESTAMP": pa.timestamp("us"),
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "INTEGER[]": pa.list_(pa.int32()),
    "BIGINT[]": pa.list_(pa.int64()),
    "BOOLEAN": pa.bool_(),
}


def batch(number: int, *, rows: int = 1, at: datetime = T0) -> Batch:
    samples = tuple(
        Sample(
            site="north", component=f"c{number}", layer=Layer.STORAGE, metric="m", at=at, value=float(row), labels={}
        )
        for row in range(rows)
    )
    return Batch(batch_id=f"agent:{number}", sender="agent", samples=samples)


def components(store: LakeStore, snapshot: int | None = None) -> list[str]:
    found: list[str] = store.scan("samples", EVER, columns=["component"], snapshot=snapshot)["component"].to_pylist()
    return found


def test_a_restart_keeps_batches_snapshots_pins_and_known_ids(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        store.append(batch(1))
        first = store.flush()
        store.pin(first)
        store.append(batch(2))
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        assert components(store) == ["c1", "c2"]
        assert store.append(batch(1)) is False
        assert store.append(batch(2)) is False
        store.maintain(datetime.now(UTC) + timedelta(hours=1))
        assert components(store, first) == ["c1"]
        assert store.status().batches == 2


def test_a_lake_that_was_moved_still_opens(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path / "here", flush_seconds=None)) as store:
        store.append(batch(1))
    (tmp_path / "here").rename(tmp_path / "it's there")
    with closing(LakeStore(tmp_path / "it's there", flush_seconds=None)) as store:
        assert components(store) == ["c1"]


def test_a_second_process_is_told_who_owns_the_lake(tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text(json.dumps({"url": "http://127.0.0.1:8620", "pid": 4711}))
    program = "from pathlib import Path; from collector.stores.lake import LakeStore; LakeStore(Path())"
    with closing(LakeStore(tmp_path, flush_seconds=None)):
        other = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        with pytest.raises(StoreError, match=r"process 4711, http://127\.0\.0\.1:8620"):
            LakeStore(tmp_path, flush_seconds=None)
    assert "StoreError: the lake" in other.stderr
    assert "process 4711, http://127.0.0.1:8620" in other.stderr


def test_a_full_spool_refuses_until_the_next_flush(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None, spool_limit_bytes=20_000)) as store:
        kept = 0
        while store.status().spool_bytes < 18_000:
            store.append(batch(kept, rows=20))
            kept += 1
        with pytest.raises(StoreFull):
            store.append(batch(kept, rows=20))
        assert len(set(components(store))) == kept
        store.flush()
        assert store.status().spool_bytes == 0
        assert store.append(batch(kept, rows=20)) is True
        assert len(set(components(store))) == kept + 1


def test_a_damaged_record_costs_its_own_batch_only(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path / "one", flush_seconds=None)) as store:
        for number in (1, 2, 3):
            store.append(batch(number))
        shutil.copytree(tmp_path / "one" / "spool", tmp_path / "two" / "spool")  # as after a power cut
    (path,) = (tmp_path / "two" / "spool").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with closing(LakeStore(tmp_path / "two", flush_seconds=None)) as store:
        assert components(store, store.flush()) == ["c1", "c3"]
        assert store.status().spool_lost_records == 1
        assert store.append(batch(2)) is True, "who still has it can send it again"


def test_rows_stay_readable_and_safe_when_the_lake_cannot_take_them(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        store.append(batch(1))
        store.flush()
        folder = tmp_path / "lake" / "data"
        folder.rename(tmp_path / "away")
        folder.write_text("a file where the folder was: nothing can be written here")
        store.append(batch(2))
        with pytest.raises(StoreError, match="could not keep"):
            store.flush()
        assert store.status().hot_rows == 1
        assert store.append(batch(2)) is False
        folder.unlink()
        (tmp_path / "away").rename(folder)
        snapshot = store.flush()
        assert components(store, snapshot) == ["c1", "c2"]


def test_readers_of_now_see_every_row_once_while_others_write(tmp_path: Path) -> None:
    """Each reader's answer holds all batches acknowledged before it asked, none twice, each whole."""
    acknowledged: list[str] = []
    wrong: list[str] = []
    stop = threading.Event()
    with closing(LakeStore(tmp_path, flush_seconds=0.05)) as store:

        def write(thread: int) -> None:
            for number in range(thread * 10_000, thread * 10_000 + 60):
                store.append(batch(number, rows=3))
                acknowledged.append(f"c{number}")

        def read() -> None:
            before = list(acknowledged)
            seen = Counter(components(store))
            if set(before) - set(seen) or set(seen.values()) - {3}:
                wrong.append(f"{len(before)} acknowledged, {len(seen)} seen, {set(seen.values())} times")

        def maintain() -> None:
            store.maintain(datetime.now(UTC))

        beside = [threading.Thread(target=_repeat, args=(task, stop)) for task in (read, read, maintain)]
        writers = [threading.Thread(target=write, args=(thread,)) for thread in range(3)]
        _start(beside + writers)
        _join(writers)
        stop.set()
        _join(beside)
        assert Counter(components(store, store.flush())) == dict.fromkeys(acknowledged, 3)
    assert wrong == []
    assert len(acknowledged) == 180


def _repeat(task: Callable[[], None], stop: threading.Event) -> None:
    while not stop.is_set():
        task()


def _start(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def test_one_batch_from_many_threads_is_new_for_one_of_them(tmp_path: Path) -> None:
    answers: list[bool] = []
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        threads = [threading.Thread(target=lambda: answers.append(store.append(batch(1)))) for _ in range(8)]
        _start(threads)
        _join(threads)
        assert sorted(answers) == [False] * 7 + [True]
        assert components(store) == ["c1"]


def test_files_lie_by_day_and_are_merged(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        for number in range(6):
            store.append(batch(number, at=T0 + timedelta(days=number % 2)))
            store.flush()
        store.maintain(datetime.now(UTC) + timedelta(hours=1))
        folders = sorted((tmp_path / "lake" / "data" / "main" / "samples").glob("year=2026/month=11/day=*"))
        assert [folder.name for folder in folders] == ["day=2", "day=3"]
        assert [len(list(folder.glob("*.parquet"))) for folder in folders] == [1, 1]
        (path,) = folders[0].glob("*.parquet")
        assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"


def test_files_a_killed_process_left_behind_are_removed(tmp_path: Path) -> None:
    with closing(LakeStore(tmp_path, flush_seconds=None)) as store:
        store.append(batch(1))
        store.flush()
        (kept,) = (tmp_path / "lake").rglob("samples/**/*.parquet")
        orphan = kept.with_name("ducklake-0190-orphan.parquet")
        orphan.write_bytes(kept.read_bytes())
        store.maintain(datetime.now(UTC))
        assert orphan.exists(), "it may be the file of a commit under way"
        store.maintain(datetime.now(UTC) + timedelta(hours=1))
        assert not orphan.exists()
        assert components(store) == ["c1"]


def test_the_lake_has_the_columns_of_the_tables(tmp_path: Path) -> None:
    connection = _catalog.connect(tmp_path, owner=tmp_path / "owner.json", memory_limit="200MB", threads=1)
    for name, schema in {
        **tables.TABLES,
        "hourly": tables.HOURLY,
        **{f"daily_{name}": rows for name, rows in tables.DAILY.items()},
    }.items():
        described = connection.execute(f"DESCRIBE lake.{name}").fetchall()
        # By name: a column that came later is the last of the lake's, and every row is written by names.
        assert {row[0]: TYPES[row[1]] for row in described} == {field.name: field.type for field in schema}
    connection.close()
