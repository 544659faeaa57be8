"""What every store promises of a site that is removed."""

from dataclasses import replace

import pyarrow as pa
import pytest

from collector import tables
from collector.model.errors import NotInStore
from collector.store import Batch, Every, Slice, Store
from tests.stores.facts import EVER, HOUR, T0, batch, ended, run, run_ids, sample

SOUTH = Slice(start=EVER.start, end=EVER.end, where={"site": ["south"]})


def test_a_site_that_is_forgotten_leaves_nothing_and_takes_nothing_else(store: Store) -> None:
    store.append(_both(1))
    old = store.flush()
    store.pin(old)
    store.append(_both(2))
    store.maintain(T0 + 48 * HOUR)
    north = {name: _rows(store, name) for name in tables.TABLES}
    would = store.forget("south", dry_run=True)
    assert would.rows == {"runs": 2, "steps": 2, "samples": 2, "sessions": 2, "server_parts": 0}
    assert would.bytes > 0
    assert would.snapshots == 1
    assert run_ids(store.scan("runs", SOUTH)) == [101, 102]
    assert store.forget("south").rows == would.rows
    for name in tables.TABLES:
        assert store.scan(name, SOUTH).num_rows == 0
        assert _rows(store, name).equals(north[name])
    assert store.hourly(SOUTH).num_rows == 0
    assert set(store.trend("samples", EVER, every=Every.MONTH, by=["site"]).column("site").to_pylist()) == {"north"}
    with pytest.raises(NotInStore):
        store.scan("runs", EVER, snapshot=old)
    assert run_ids(store.scan("runs", EVER, snapshot=store.flush())) == [1, 2]


def test_a_batch_of_before_is_still_known_and_what_comes_later_is_new(store: Store) -> None:
    store.append(_both(1))
    store.forget("south")
    assert store.append(_both(1)) is False
    assert store.append(_both(3)) is True
    store.flush()
    assert run_ids(store.scan("runs", EVER)) == [1, 3, 103]


def test_forgetting_who_was_never_there_lets_go_of_nothing(store: Store) -> None:
    store.append(batch(1, run(1)))
    old = store.flush()
    store.pin(old)
    store.append(batch(2, run(2)))
    store.flush()
    assert not any(store.forget("south").rows.values())
    assert run_ids(store.scan("runs", EVER, snapshot=old)) == [1]


def _both(number: int) -> Batch:
    north = batch(number, run(number), samples=(sample(1.0),))
    there = replace(run(number + 100), site="south"), replace(sample(2.0), site="south")
    return replace(
        north,
        runs=(*north.runs, there[0]),
        samples=(*north.samples, there[1]),
        sessions=(ended(), replace(ended(), site="south")),
    )


def _rows(store: Store, name: str) -> pa.Table:
    return store.scan(name, Slice(start=EVER.start, end=EVER.end, where={"site": ["north"]}))
