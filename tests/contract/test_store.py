"""What every store promises, asked of each of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from collector import tables
from collector.app import create
from collector.model.access import Access, Link, Presentation
from collector.model.errors import RejectedBatch, StoreError
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, Run, StepTiming
from collector.model.sample import Sample
from collector.model.session import EndCause, SessionEvent, SessionEventKind
from collector.registries.database import DatabaseRegistry
from collector.registry import Scope
from collector.settings import CollectorSettings
from collector.store import Batch, Slice, Store
from collector.stores.lake import LakeStore
from collector.stores.memory import MemoryStore
from collector.stores.remote import RemoteStore

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVER = Slice(start=T0 - timedelta(days=400), end=T0 + timedelta(days=400))


@contextmanager
def _lake(folder: Path) -> Iterator[Store]:
    with closing(LakeStore(folder, flush_seconds=None)) as store:
        yield store


@contextmanager
def _memory(_folder: Path) -> Iterator[Store]:
    with closing(MemoryStore()) as store:
        yield store


@contextmanager
def _remote(folder: Path) -> Iterator[Store]:
    now = datetime.now(UTC)
    with (
        closing(LakeStore(folder, flush_seconds=None)) as lake,
        closing(DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")) as registry,
        TestClient(create(store=lake, registry=registry, settings=CollectorSettings())) as client,
    ):
        given = registry.enrol(registry.invite("operator", scope=Scope.OPERATOR, now=now), now=now)
        assert given is not None
        with closing(RemoteStore("http://testserver", given.token, client=client)) as store:
            yield store


OPENERS: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    "memory": _memory,
    "lake": _lake,
    "remote": _remote,
}


@pytest.fixture(params=sorted(OPENERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with OPENERS[request.param](tmp_path) as opened:
        yield opened


def step(
    seconds: float | None = 1.0, outcome: Outcome = Outcome.OK, name: str = "save", target: float | None = 2.0
) -> StepTiming:
    return StepTiming(
        step=name,
        outcome=outcome,
        seconds=seconds,
        censored=outcome is Outcome.TIMEOUT,
        phases={Phase.PROCESSING: seconds / 2} if seconds else {},
        target_seconds=target,
    )


def run(number: int, *steps: StepTiming, at: datetime = T0, link: Link = Link.WIFI, endpoint: str = "desk-1") -> Run:
    return Run(
        run_id=f"{number:032x}",
        site="north",
        endpoint=endpoint,
        access=Access(link=link, presentation=Presentation.LOCAL, confidence=1.0),
        journey="case-record",
        journey_hash="0123456789abcdef",
        slot=at,
        started_at=at + timedelta(seconds=1),
        seconds=2.0,
        outcome=Outcome.OK,
        steps=steps or (step(),),
        facts={"release": "3.58"},
    )


def sample(value: float, at: datetime = T0, component: str = "lun-7") -> Sample:
    return Sample(
        site="north",
        component=component,
        layer=Layer.STORAGE,
        metric="storage.write.latency",
        at=at,
        value=value,
        labels={"volume": "wal"},
    )


def ended(at: datetime = T0) -> SessionEvent:
    return SessionEvent(
        session_id="s-1",
        site="north",
        endpoint="desk-1",
        access=Access(link=Link.WIRED, presentation=Presentation.CITRIX),
        at=at,
        kind=SessionEventKind.ENDED,
        open_seconds=3600.0,
        cause=EndCause.NETWORK,
    )


def batch(number: int, *runs: Run, samples: tuple[Sample, ...] = ()) -> Batch:
    return Batch(batch_id=f"agent-1:{number}", sender="agent-1", runs=runs, samples=samples)


def run_ids(rows: pa.Table) -> list[int]:
    return [int(value, 16) for value in rows.column("run_id").to_pylist()]


def test_what_was_appended_is_read_back_at_once_and_after_a_flush(store: Store) -> None:
    kept = Batch(
        batch_id="agent-1:1",
        sender="agent-1",
        runs=(run(1, step(1.5), step(None, Outcome.NOT_READY, "print")),),
        samples=(sample(0.004),),
        sessions=(ended(),),
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
        assert store.scan("samples", EVER).equals(tables.sample_table(kept.samples))
        assert store.scan("sessions", EVER).equals(tables.session_table(kept.sessions))
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


@pytest.mark.parametrize("name", ["verdicts", "runs; DROP TABLE runs", ""])
def test_an_unknown_table_is_refused(store: Store, name: str) -> None:
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
    rows = tables.sample_table([sample(1.0), sample(2.0)])
    encoded = rows.set_column(1, "site", rows.column("site").dictionary_encode()).drop_columns(["period_seconds"])
    assert store.append_table("bulk:1", "bulk", "samples", encoded) is True
    assert store.append_table("bulk:1", "bulk", "samples", encoded) is False
    snapshot = store.flush()
    assert store.scan("samples", EVER, snapshot=snapshot).equals(rows)


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("value", pa.array([float("nan")])),
        ("value", pa.array([float("inf")])),
        ("value", pa.array(["many"])),
        ("metric", pa.nulls(1, pa.string())),
        ("at", pa.array(["yesterday"])),
        ("colour", pa.array(["blue"])),
        ("component", pa.array(["LUN 7\n"])),
        ("layer", pa.array(["the_moon"])),
        ("period_seconds", pa.array([-1.0])),
        ("at", pa.array([-(10**17)], pa.timestamp("us"))),
    ],
)
def test_columns_that_do_not_fit_are_refused_whole(store: Store, field: str, column: pa.Array) -> None:
    rows = tables.sample_table([sample(1.0)])
    place = rows.schema.get_field_index(field)
    wrong = rows.set_column(place, field, column) if place >= 0 else rows.append_column(field, column)
    with pytest.raises(RejectedBatch) as refused:
        store.append_table("bulk:1", "bulk", "samples", wrong)
    assert refused.value.field == field
    assert store.scan("samples", EVER).num_rows == 0
    assert store.append_table("bulk:1", "bulk", "samples", rows) is True


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


@pytest.mark.parametrize("opener", sorted(OPENERS))
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
