"""Trends over days, weeks and months: what they count, how exact they are, and that late rows count."""

from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import tables
from collector.model.access import Link
from collector.model.errors import NotInStore
from collector.model.run import Outcome
from collector.store import Every, Slice, Store
from collector.stores import _sketch
from tests.stores.facts import EVER, HOUR, T0, batch, run, sample, step

DAY = timedelta(days=1)
_VALUES = st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=60)


def _buckets(values: list[float]) -> dict[int, int]:
    table = pa.table({"value": pa.array(values, pa.float64())})
    with duckdb.connect() as connection:
        connection.register("given", table)
        text = f"SELECT bucket, count(*) FROM (SELECT {_sketch.bucket('value')} AS bucket FROM given) GROUP BY bucket"
        return dict(connection.execute(text).fetchall())


def _quantile(buckets: dict[int, int], share: float) -> float:
    table = pa.table({"bucket": list(buckets), "n": list(buckets.values())})
    with duckdb.connect() as connection:
        connection.register("merged", table)
        text = (
            f"SELECT {_sketch.quantile(share)} FROM "
            "(SELECT bucket, sum(n) OVER (ORDER BY bucket) AS upto, sum(n) OVER () AS whole FROM merged)"
        )
        (answer,) = connection.execute(text).fetchall()[0]
        return float(answer)


@settings(max_examples=40, deadline=None)
@given(values=_VALUES, cut=st.integers(0, 60), share=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]))
def test_merging_any_split_is_the_whole_and_a_quantile_is_within_its_error(
    values: list[float], cut: int, share: float
) -> None:
    whole, first, second = _buckets(values), _buckets(values[:cut]), _buckets(values[cut:])
    assert {key: first.get(key, 0) + second.get(key, 0) for key in first | second} == whole
    exact = float(np.quantile(np.array(values), share, method="lower"))
    found = _quantile(whole, share)
    assert abs(found - exact) <= _sketch.ERROR * abs(exact) * (1 + 1e-9) + _sketch.SMALLEST


def test_a_month_is_all_its_values_and_no_average_of_days(store: Store) -> None:
    quiet = [run(number, step(1.0), at=T0 + number * timedelta(minutes=1)) for number in range(90)]
    busy = [run(1000 + number, step(9.0, Outcome.SLOW), at=T0 + DAY) for number in range(10)]
    ends = [step(30.0, Outcome.TIMEOUT), step(0.1, Outcome.FAILED), step(None, Outcome.DROPPED)]
    bad = [run(2000 + number, end, at=T0 + DAY) for number, end in enumerate(ends)]
    store.append(batch(1, *quiet, *busy, *bad))
    for _ in range(2):  # from the rows, and from the roll-up
        (month,) = store.trend("steps", EVER, every=Every.MONTH, by=["journey"]).to_pylist()
        assert month["period"] == tables.naive(T0).replace(day=1, hour=0)
        assert (month["journey"], month["runs"], month["measured"]) == ("case-record", 103, 100)
        assert (month["timeouts"], month["failures"], month["target_seconds"]) == (1, 2, 2.0)
        assert (month["minimum"], month["maximum"], month["mean"]) == (1.0, 9.0, pytest.approx(1.8))
        assert month["q50"] == pytest.approx(1.0, rel=0.011)  # the average of the days' medians is 5
        assert month["q90"] == pytest.approx(1.0, rel=0.011)
        days = store.trend("steps", EVER, every=Every.DAY).to_pylist()
        assert [day["q50"] for day in days] == [pytest.approx(1.0, rel=0.011), pytest.approx(9.0, rel=0.011)]
        store.flush()
        store.maintain(T0 + 3 * DAY)


def test_late_rows_and_open_days_count_and_a_snapshot_stays_what_it_was(store: Store) -> None:
    store.append(batch(1, samples=(sample(-60.0), sample(-50.0), sample(-40.0, T0 + DAY))))
    first = store.flush()
    store.pin(first)
    store.maintain(T0 + 2 * DAY)
    rolled = store.flush()
    store.pin(rolled)
    assert _medians(store, rolled) == _medians(store, first) == [-60, -40]
    store.append(batch(2, samples=(sample(-80.0), sample(-82.0), sample(-10.0, T0 + 2 * DAY))))
    assert _medians(store) == [-80, -40, -10]
    assert _medians(store, store.flush()) == [-80, -40, -10]
    store.maintain(T0 + 4 * DAY)
    assert _medians(store) == [-80, -40, -10]
    assert _medians(store, rolled) == [-60, -40]
    part = Slice(start=T0 + HOUR, end=T0 + 2 * DAY, where={"component": ["lun-7"]})
    assert [row["measured"] for row in store.trend("samples", part, every=Every.WEEK).to_pylist()] == [1]


def _medians(store: Store, snapshot: int | None = None) -> list[float]:
    found = store.trend("samples", EVER, every=Every.DAY, by=["site", "metric"], snapshot=snapshot)
    assert found.schema == tables.trend("samples", ["site", "metric"])
    return [5 * round(value / 5) for value in found["q50"].to_pylist()]  # within 1 %


def test_what_has_no_trend_is_said(store: Store) -> None:
    store.append(batch(1, run(1, link=Link.WIRED)))
    with pytest.raises(NotInStore, match="no trend"):
        store.trend("runs", EVER, every=Every.DAY)
    with pytest.raises(NotInStore, match="endpoint"):
        store.trend("steps", EVER, every=Every.DAY, by=["endpoint"])
    assert store.trend("samples", EVER, every=Every.YEAR).num_rows == 0
