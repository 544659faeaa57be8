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
    assert not any(store.forget("zebra").rows.values())  # was never there: nothing is let go of
    assert run_ids(store.scan("runs", SOUTH, snapshot=old)) == [101]
    north = {name: _rows(store, name) for name in tables.TABLES}
    would = store.forget("south", dry_run=True)
    gone = {"runs": 2, "steps": 2, "samples": 2, "sessions": 2}
    assert would.rows == dict.fromkeys(tables.TABLES, 0) | gone
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
    assert store.append(_both(1)) is False  # a batch of before is still known
    assert store.append(_both(3)) is True  # what comes later is new
    assert run_ids(store.scan("runs", EVER)) == [1, 2, 3, 103]


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
