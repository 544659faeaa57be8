"""What every store promises, asked of each of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from collector import tables
from collector.model.access import Link
from collector.model.errors import RejectedBatch, StoreError
from collector.model.quality import QualityEvent, QualityKind
from collector.model.run import Outcome
from collector.quality.ledger import between, events_of
from collector.rows import host_event_table, sample_table, session_table
from collector.store import Batch, Slice, Store
from tests.stores.facts import EVER, HOUR, T0, batch, ended, logged, read_back, run, run_ids, sample, step


def test_what_was_appended_is_read_back_at_once_and_after_a_flush(store: Store) -> None:
    kept = Batch(
        batch_id="agent-1:1",
        sender="agent-1",
        runs=(run(1, step(1.5), step(None, Outcome.NOT_READY, "print")),),
        samples=(sample(0.004),),
        sessions=(ended(), read_back()),
        host_events=(logged(),),
        received_skew_seconds=0.25,
    )
    assert store.append(kept) is True
    for _ in range(2):
        runs, steps = store.scan("runs", EVER), store.scan("steps", EVER)
        assert runs.schema == tables.RUNS
        assert runs.to_pylist()[0] | {"skew_seconds": 0.25, "facts": '{"release":"3.58"}'} == runs.to_pylist()[0]
        assert steps.column("seconds").to_pylist() == [1.5, None]
        assert steps.column("processing").to_pylist() == [0.75, None]
        assert steps.column("resolve").to_pylist() == [None, None]
        assert steps.column("release").to_pylist() == ["3.58", "3.58"]
        assert store.scan("samples", EVER).equals(sample_table(kept.samples))
        assert store.scan("sessions", EVER).equals(session_table(kept.sessions))
        assert store.scan("host_events", EVER).equals(host_event_table(kept.host_events))
        assert store.scan("sessions", EVER).column("unsaved_work").to_pylist() == [None, "lost"]
        store.flush()


def test_the_same_batch_twice_is_stored_once(store: Store) -> None:
    assert store.append(batch(1, run(1))) is True
    assert store.append(batch(1, run(1))) is False
    store.flush()
    assert store.append(batch(1, run(1))) is False
    assert store.append(batch(2, run(2))) is True
    assert run_ids(store.scan("runs", EVER)) == [1, 2]
    assert store.status().duplicates == 2


def test_an_empty_batch_is_remembered_too(store: Store) -> None:
    assert store.append(batch(1)) is True
    store.flush()
    assert store.append(batch(1)) is False


def test_a_snapshot_holds_what_was_acknowledged_and_nothing_later(store: Store) -> None:
    store.append(batch(1, run(1), samples=(sample(1.0),)))
    first = store.flush()
    store.append(batch(2, run(2), samples=(sample(2.0),)))
    assert run_ids(store.scan("runs", EVER, snapshot=first)) == [1]
    assert run_ids(store.scan("runs", EVER)) == [1, 2]
    second = store.flush()
    assert second > first
    assert store.flush() == second
    assert store.scan("samples", EVER, snapshot=first).column("value").to_pylist() == [1.0]
    assert store.scan("samples", EVER, snapshot=second).column("value").to_pylist() == [1.0, 2.0]


def test_a_slice_takes_its_start_and_leaves_its_end(store: Store) -> None:
    store.append(batch(1, *(run(number, at=T0 + number * HOUR) for number in range(4))))
    for _ in range(2):
        assert run_ids(store.scan("steps", Slice(start=T0 + HOUR, end=T0 + 3 * HOUR))) == [1, 2]
        store.flush()


def test_a_slice_filters_by_any_column(store: Store) -> None:
    store.append(batch(1, run(1), run(2, link=Link.WIRED), run(3, link=Link.VPN, endpoint="desk-2")))
    for _ in range(2):
        some = Slice(start=EVER.start, end=EVER.end, where={"link": ["wifi", "vpn"]})
        assert run_ids(store.scan("runs", some)) == [1, 3]
        both = Slice(start=EVER.start, end=EVER.end, where={"link": ["wifi", "vpn"], "endpoint": ["desk-2"]})
        assert run_ids(store.scan("runs", both)) == [3]
        assert run_ids(store.scan("runs", Slice(start=EVER.start, end=EVER.end, where={"attempt": ["1"]}))) == [1, 2, 3]
        assert run_ids(store.scan("runs", Slice(start=EVER.start, end=EVER.end, where={"link": []}))) == []
        store.flush()


def test_rows_come_in_key_order_whatever_order_they_arrived_in(store: Store) -> None:
    store.append(batch(1, run(5), run(3, at=T0 + HOUR)))
    store.flush()
    store.append(batch(2, run(4), run(9, at=T0 - HOUR)))
    assert run_ids(store.scan("runs", EVER)) == [9, 4, 5, 3]
    snapshot = store.flush()
    assert run_ids(store.scan("runs", EVER, snapshot=snapshot)) == [9, 4, 5, 3]


def test_only_the_columns_asked_for_come_back(store: Store) -> None:
    store.append(batch(1, run(1)))
    found = store.scan("steps", EVER, columns=["step", "seconds"])
    assert found.to_pylist() == [{"step": "save", "seconds": 1.0}]


def test_an_unknown_table_is_refused(store: Store) -> None:
    for name in ("verdicts", "runs; DROP TABLE runs", ""):
        with pytest.raises(StoreError, match="no table"):
            store.scan(name, EVER)
        with pytest.raises(StoreError, match="no table"):
            store.append_table("b", "s", name, tables.RUNS.empty_table())


def test_an_unknown_column_is_refused_and_a_hostile_value_is_just_a_value(store: Store) -> None:
    store.append(batch(1, run(1)))
    with pytest.raises(StoreError, match="no column"):
        (store.scan("runs", EVER, columns=["seconds", '1" OR "1']),)
    with pytest.raises(StoreError, match="no column"):
        store.scan("runs", Slice(start=EVER.start, end=EVER.end, where={"1=1 --": ["x"]}))
    with pytest.raises(StoreError, match="no column"):
        store.hourly(Slice(start=EVER.start, end=EVER.end, where={"value": ["x"]}))
    hostile = Slice(start=EVER.start, end=EVER.end, where={"site": ["north' OR '1'='1"]})
    assert store.scan("runs", hostile).num_rows == 0


def test_an_unknown_snapshot_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        store.scan("runs", EVER, snapshot=987_654)
    with pytest.raises(StoreError):
        store.pin(987_654)


def test_columns_are_taken_as_they_are(store: Store) -> None:
    rows = sample_table([sample(1.0), sample(2.0)])
    encoded = rows.set_column(1, "site", rows.column("site").dictionary_encode()).drop_columns(["period_seconds"])
    assert store.append_table("bulk:1", "bulk", "samples", encoded) is True
    assert store.append_table("bulk:1", "bulk", "samples", encoded) is False
    snapshot = store.flush()
    assert store.scan("samples", EVER, snapshot=snapshot).equals(rows)
    unused = pa.DictionaryArray.from_arrays(pa.array([1, 1], pa.int32()), pa.array(["no layer", "storage"]))
    layered = rows.set_column(rows.schema.get_field_index("layer"), "layer", unused)
    assert store.append_table("bulk:2", "bulk", "samples", layered) is True
    assert store.scan("samples", EVER).column("layer").to_pylist().count("storage") >= 2


MISFITS = (
    ("value", pa.array([float("nan")])),
    ("value", pa.array([float("inf")])),
    ("value", pa.array(["many"])),
    ("metric", pa.nulls(1, pa.string())),
    ("at", pa.array(["yesterday"])),
    ("colour", pa.array(["blue"])),
    ("component", pa.array(["LUN 7\n"])),
    ("layer", pa.array(["the_moon"])),
    ("layer", pa.array(["the_moon"]).dictionary_encode()),
    ("metric", pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array([None], pa.string()))),
    ("period_seconds", pa.array([-1.0])),
    ("at", pa.array([-(10**17)], pa.timestamp("us"))),
)


def test_columns_that_do_not_fit_are_refused_whole(store: Store) -> None:
    rows = sample_table([sample(1.0)])
    for field, column in MISFITS:
        place = rows.schema.get_field_index(field)
        wrong = rows.set_column(place, field, column) if place >= 0 else rows.append_column(field, column)
        with pytest.raises(RejectedBatch) as refused:
            store.append_table("bulk:1", "bulk", "samples", wrong)
        assert refused.value.field == field, column
        assert store.scan("samples", EVER).num_rows == 0, column
    assert store.append_table("bulk:1", "bulk", "samples", rows) is True


def test_pinned_snapshots_outlive_maintenance_and_others_do_not(store: Store) -> None:
    snapshots = []
    for number in range(4):
        store.append(batch(number, run(number)))
        snapshots.append(store.flush())
    store.pin(snapshots[1])
    store.maintain(datetime.now(UTC) + HOUR)
    assert run_ids(store.scan("runs", EVER, snapshot=snapshots[1])) == [0, 1]
    assert run_ids(store.scan("runs", EVER, snapshot=store.flush())) == [0, 1, 2, 3]
    with pytest.raises(StoreError):
        store.scan("runs", EVER, snapshot=snapshots[0])


def test_a_snapshot_just_made_survives_maintenance(store: Store) -> None:
    store.append(batch(1, run(1)))
    mine = store.flush()
    store.append(batch(2, run(2)))
    store.flush()
    store.maintain(datetime.now(UTC))
    assert run_ids(store.scan("runs", EVER, snapshot=mine)) == [1]


def test_the_status_counts(store: Store) -> None:
    before = store.status()
    assert (before.hot_rows, before.batches, before.duplicates) == (0, 0, 0)
    store.append(batch(1, run(1), samples=(sample(1.0),)))
    held = store.status()
    assert (held.hot_rows, held.batches) == (3, 1)
    assert 0 < held.spool_bytes < held.spool_limit_bytes
    snapshot = store.flush()
    after = store.status()
    assert (after.snapshot, after.hot_rows, after.batches) == (snapshot, 0, 1)


def test_the_ledger_keeps_every_word_and_its_last_one_holds(store: Store) -> None:
    begun = QualityEvent(
        event_id="1", told_at=T0, at=T0, site="north", kind=QualityKind.SOURCE_FAILURE, subject="db-1", detail="away"
    )
    store.append(Batch(batch_id="l:1", sender="ledger", quality=(begun,)))
    snapshot = store.flush()
    ended = replace(begun, told_at=T0 + HOUR, until=T0 + HOUR)
    store.append(Batch(batch_id="l:2", sender="ledger", quality=(ended,)))
    assert store.scan("ledger", EVER).num_rows == 2
    assert between(store, T0, T0 + 2 * HOUR) == [ended]
    assert events_of(store.scan("ledger", EVER, snapshot=snapshot)) == [begun]
