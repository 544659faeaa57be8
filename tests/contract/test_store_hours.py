"""The hours every store summarises: what they count, and that they equal what the steps say."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import tables
from collector.model.access import Link
from collector.model.errors import NotInStore
from collector.model.run import Outcome
from collector.store import Slice, Store
from tests.stores.facts import EVER, HOUR, T0, batch, run, step
from tests.stores.openers import OPENERS


def test_the_hour_counts_every_ending_and_measures_only_what_ended(store: Store) -> None:
    ends = [step(1.0), step(3.0, Outcome.SLOW), step(2.0), step(10.0, Outcome.TIMEOUT), step(0.1, Outcome.FAILED)]
    ends += [step(None, Outcome.DROPPED), step(None, Outcome.BROKEN)]
    store.append(batch(1, *(run(number, end) for number, end in enumerate(ends))))
    for _ in range(2):
        (hour,) = store.hourly(EVER).to_pylist()
        assert (hour["runs"], hour["measured"], hour["timeouts"], hour["failures"]) == (7, 3, 1, 2)
        assert (hour["q25"], hour["q50"], hour["q75"]) == (1.5, 2.0, 2.5)
        assert hour["processing_q50"] == 1.0
        assert hour["resolve_q50"] is None
        assert hour["target_seconds"] == 2.0
        store.flush()
        store.maintain(T0 + timedelta(days=1))


def test_hours_are_summarised_by_population_and_step(store: Store) -> None:
    store.append(batch(1, run(1, step(), step(name="open")), run(2, link=Link.WIRED), run(3, at=T0 + HOUR)))
    found = store.hourly(EVER)
    assert found.schema == tables.HOURLY
    assert [(row["hour"].hour, row["step"], row["link"]) for row in found.to_pylist()] == [
        (8, "open", "wifi"),
        (8, "save", "wifi"),
        (8, "save", "wired"),
        (9, "save", "wifi"),
    ]


Summary = dict[tuple[object, ...], list[float]]


def _direct(rows: Slice, steps: pa.Table) -> Summary:
    """Work out counts and quantiles a second way, row by row and with numpy."""
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for row in steps.to_pylist():
        if tables.naive(rows.start) <= row["slot"] < tables.naive(rows.end):
            hour = row["slot"].replace(minute=0, second=0, microsecond=0)
            groups.setdefault((hour, row["step"], row["link"]), []).append(row)
    answer: Summary = {}
    for key, members in groups.items():
        measured = [row["seconds"] for row in members if row["outcome"] in {"ok", "slow"}]
        timeouts = sum(row["outcome"] == "timeout" for row in members)
        cuts = np.quantile(np.array(measured), list(tables.QUANTILES.values())).tolist() if measured else []
        answer[key] = [len(members), len(measured), timeouts, *cuts]
    return answer


def _answered(found: pa.Table) -> Summary:
    return {
        (row["hour"], row["step"], row["link"]): [
            row[name] for name in ("runs", "measured", "timeouts", *tables.QUANTILES) if row[name] is not None
        ]
        for row in found.to_pylist()
    }


_ARRIVALS = st.lists(
    st.one_of(
        st.tuples(
            st.integers(0, 60 * 30),  # minute of the slot
            st.sampled_from([Link.WIFI, Link.WIRED]),
            st.sampled_from([Outcome.OK, Outcome.SLOW, Outcome.TIMEOUT]),
            st.floats(0, 100, allow_nan=False),
        ),
        st.sampled_from(["flush", "maintain"]),
    ),
    max_size=25,
)


@pytest.mark.parametrize("opener", ["lake", "memory"])  # the remote store hands on what a lake says: see above, below
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=_ARRIVALS, cut=st.integers(0, 60 * 30))
def test_the_hours_equal_what_the_steps_say_whenever_they_came(
    opener: str, arrivals: list[object], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with OPENERS[opener](tmp_path_factory.mktemp("hours")) as store:
        for number, arrival in enumerate(arrivals):
            if arrival == "flush":
                store.flush()
            elif arrival == "maintain":
                store.maintain(T0 + timedelta(hours=number))
            elif isinstance(arrival, tuple):
                minute, link, outcome, seconds = arrival
                walk = run(number, step(seconds, outcome), at=T0 + timedelta(minutes=minute), link=link)
                store.append(batch(number, walk))
        for rows in (EVER, Slice(start=T0 + timedelta(minutes=cut), end=T0 + timedelta(hours=29, minutes=7))):
            live = store.hourly(rows)
            expected = _direct(rows, store.scan("steps", EVER))
            assert _answered(live).keys() == expected.keys()
            for key, numbers in _answered(live).items():
                assert numbers == pytest.approx(expected[key], rel=1e-12)
            assert store.hourly(rows, snapshot=store.flush()).equals(live)


def test_a_summary_of_a_snapshot_stays_what_it_was(store: Store) -> None:
    store.append(batch(1, run(1, step(1.0))))
    first = store.flush()
    store.pin(first)
    store.maintain(T0 + 2 * HOUR)
    store.append(batch(2, run(2, step(9.0))))  # late, into an hour that is closed
    second = store.flush()
    store.maintain(T0 + 2 * HOUR)
    assert store.hourly(EVER, snapshot=first).column("q50").to_pylist() == [1.0]
    assert store.hourly(EVER, snapshot=second).column("q50").to_pylist() == [5.0]
    assert store.hourly(EVER).column("runs").to_pylist() == [2]


def test_rows_are_counted_by_the_hour_of_one_snapshot(store: Store) -> None:
    store.append(batch(1, run(1, step(), step(name="open")), run(2, at=T0 + 3 * HOUR), run(3, at=T0 + 3.5 * HOUR)))
    snapshot = store.flush()
    store.append(batch(2, run(4)))
    found = store.counts("steps", EVER)
    assert found.schema == tables.COUNTS
    assert [(row["hour"].hour, row["rows"]) for row in found.to_pylist()] == [(8, 3), (11, 2)]
    assert store.counts("steps", EVER, snapshot=snapshot).column("rows").to_pylist() == [2, 2]
    part = Slice(start=T0 + HOUR, end=T0 + 3.5 * HOUR, where={"site": ["north"]})
    assert store.counts("runs", part).column("rows").to_pylist() == [1]
    assert store.counts("runs", Slice(start=T0, end=T0 + HOUR, where={"site": ["south"]})).num_rows == 0
    with pytest.raises(NotInStore, match="no table"):
        store.counts("none", EVER)
