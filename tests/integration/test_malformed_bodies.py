"""Bodies that are wrong, at every door for facts: each a clear 4xx, and nothing of any of them is kept."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from collector.stores._batch import to_ipc
from collector.tables import TABLES
from tests.doors.knock import Collector, collector, run
from tests.doors.remote_write import ONE, TWO, first, packed, part, sample, second, series

ARROW = "application/vnd.apache.arrow.stream"
PROTOBUF = "application/x-protobuf"
SAMPLE = {"site": "s", "component": "c", "layer": "storage", "metric": "m", "at": "2026-11-23T09:00:00Z", "value": 1.0}
AT = 1_795_424_400_000
GOOD = {"__name__": "own", "instance": "a", "whichlayer_layer": "storage"}
COLUMNS = {name: [SAMPLE[name]] for name in ("site", "component", "layer", "metric", "value")}
ROW = COLUMNS | {"at": pa.array([AT * 1000], pa.timestamp("us")), "labels": ["{}"]}
RUN = run(1)


def runs(**changed: Any) -> bytes:
    return json.dumps({"sequence": 1, "runs": [RUN, RUN | changed]}).encode()


def samples(**changed: Any) -> bytes:
    return json.dumps({"sequence": 1, "samples": [SAMPLE, SAMPLE | changed]}).encode()


def sessions(**changed: Any) -> bytes:
    return json.dumps({"sequence": 1, "sessions": [changed]}).encode()


def arrow(**changed: Any) -> bytes:
    return to_ipc(pa.table({name: value for name, value in (ROW | changed).items() if value is not None}))


BODIES: list[tuple[str, str, bytes]] = [
    *(("/v1/runs", "json", body) for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"runs": []}', b"[" * 9999)),
    *(("/v1/runs", "json", body) for body in (runs(seconds=-1), runs(slot="x"), runs(steps=1), runs(run_id="A" * 99))),
    *(("/v1/samples", "json", body) for body in (samples(value=None), samples(layer="roof"), samples(at="now"))),
    *(("/v1/samples", "json", body) for body in (samples(component=""), samples(at="3000-01-01T00:00:00Z"))),
    ("/v1/samples", "json", samples(value=float("nan"))),
    *(("/v1/sessions", "json", body) for body in (sessions(), sessions(kind="fell"), b'{"sequence": 1}', b'"a"')),
    *(("/v1/metrics", PROTOBUF, body) for body in (b"\xff\xff", b"\x0a\x05ab", gzip.compress(b"", mtime=0)[:-3])),
    *(("/v1/metrics", "application/json", body) for body in (b"[]", b"{", b'{"resourceMetrics": 1}', b"\xff")),
    *(("/v1/rows/samples", ARROW, body) for body in (b"", b"\xff\xff\xff\xff", arrow()[:-40], arrow()[:90])),
    *(("/v1/rows/samples", ARROW, body) for body in (arrow(value=["a"]), arrow(value=[float("inf")]), arrow(at=None))),
    *(("/v1/rows/samples", ARROW, body) for body in (arrow(layer=["roof"]), arrow(more=[1]), arrow(metric=["A B"]))),
    *(("/api/v1/write", ONE, body) for body in (b"", b"\xff\xff", packed(b"\xff\xff"))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)))[:-4]),
    ("/api/v1/write", ONE, b"\xff\xff\xff\xff\x0f" + b"a" * 50),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), series({"instance": "a"}, (1.0, AT)))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), series(GOOD | {"__name__": ""}, (1.0, AT)))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), series(GOOD, (1.0, 0)))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), series(GOOD, (1.0, 2**41 * 4)))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), series(GOOD) + series(GOOD, (1.0, AT)))),
    ("/api/v1/write", ONE, first(series(GOOD, (1.0, AT)), part(1, part(1, b"\xff\xff")) + part(2, sample(1.0, AT)))),
    ("/api/v1/write", TWO, second((GOOD, [(1.0, AT)]), symbols=["a", *GOOD, *GOOD.values()])),
    ("/api/v1/write", TWO, packed(part(4, b"") + part(5, part(1, b"\x00\x63") + part(2, sample(1.0, AT))))),
    ("/api/v1/write", TWO, packed(part(4, b"") + part(5, part(1, b"\x00") + part(2, sample(1.0, AT))))),
    ("/api/v1/write", TWO, packed(part(4, b"") + part(5, part(1, b"\x00\x00") + part(2, sample(1.0, AT))))),
]  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("bad")) as running:
        yield running


@pytest.mark.parametrize(("door", "kind", "body"), BODIES, ids=[f"{n}{door}" for n, (door, _, _) in enumerate(BODIES)])
def test_a_wrong_body_is_told_and_nothing_of_it_is_kept(here: Collector, door: str, kind: str, body: bytes) -> None:
    told = {"Content-Type": "application/json" if kind == "json" else kind}
    told |= {"Content-Encoding": "snappy"} if door == "/api/v1/write" else {}
    sequence = {"sequence": 1} if "rows" in door else {}
    answer = here.client.post(door, content=body, headers=here.as_agent() | told, params=sequence)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 10
    assert not any(here.rows(table) for table in TABLES)


def test_there_are_forty_of_them() -> None:
    assert len(BODIES) >= 40
    assert {door for door, _, _ in BODIES} >= {"/v1/runs", "/v1/sessions", "/v1/samples", "/v1/metrics"}
