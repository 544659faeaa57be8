"""Bodies at the doors: how they are encoded, how large they may be, which values are refused and how that is said."""

import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.knock import Collector, collector, run, runs


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Collector]:
    with collector(tmp_path) as running:
        yield running


@pytest.mark.parametrize(("name", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_encoded_bodies_are_inflated(here: Collector, name: str, encode: Any) -> None:
    body = encode(json.dumps(runs(1, 1, 2, 3)).encode())
    answer = here.client.post("/v1/runs", content=body, headers=here.as_agent(Content_Encoding=name))
    assert answer.status_code == 204
    assert len(here.rows("runs")) == 3


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": ""}, b"{}", 415),
        ({"Content-Encoding": "br"}, b"{}", 415),
        ({"Content-Encoding": "gzip, gzip"}, b"{}", 415),
        ({"Content-Encoding": "gzip"}, b"{}", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"{}", mtime=0)[:-6], 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"{}", mtime=0) + b"more", 400),
        ({"Content-Encoding": "deflate"}, zlib.compress(b"{}") + b"more", 400),
        ({}, b"", 400),
        ({}, b"{", 400),
        ({}, b"\xff", 400),
        ({}, b'{"sequence": 1, "runs": ["\\ud800"]}', 400),
        ({}, b"[]", 422),
        ({}, b'{"sequence": -1, "runs": []}', 422),
        ({}, b'{"sequence": 1}', 422),
    ],
)
def test_a_body_that_is_not_what_it_says(here: Collector, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = here.client.post("/v1/runs", content=body, headers=here.as_agent() | headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert here.rows("runs") == []


def step(**changed: Any) -> list[dict[str, Any]]:
    return [{"step": "save", "outcome": "ok", "seconds": 0.84} | changed]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"run_id": "x"}, "runs.0"),
        ({"seconds": -1}, "runs.0"),
        ({"outcome": "great"}, "runs.0.outcome"),
        ({"slot": "yesterday"}, "runs.0.slot"),
        ({"slot": "2026-11-23T08:59:00"}, "runs.0"),
        ({"slot": "9999-12-31T23:59:59-23:59"}, "runs.0.slot"),
        ({"started_at": "0001-01-01T00:00:00+23:59"}, "runs.0.started_at"),
        ({"attempt": 2**31}, "runs.0.attempt"),
        ({"steps": step(seconds=float("nan"))}, "runs.0.steps.0"),
        ({"steps": step(seconds=float("inf"))}, "runs.0.steps.0"),
        ({"steps": step(phases={"thinking": 1.0})}, "runs.0.steps.0.phases.thinking.[key]"),
        ({"steps": step(outcome="timeout", seconds=None)}, "runs.0.steps.0"),
        ({"steps": step(requests=2**40)}, "runs.0.steps.0.requests"),
        ({"steps": step(bytes_received=2**63)}, "runs.0.steps.0.bytes_received"),
    ],
)
def test_a_wrong_value_is_named(here: Collector, change: dict[str, Any], field: str) -> None:
    answer = here.send("/v1/runs", {"sequence": 1, "runs": [run(**change)]})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert here.rows("runs") == []


def test_unknown_fields_are_ignored(here: Collector) -> None:
    body = runs(1) | {"mood": "good"}
    body["runs"][0]["colour"] = "blue"
    assert here.send("/v1/runs", body).status_code == 204


def test_too_large_as_sent_and_inflated(tmp_path: Path) -> None:
    with collector(tmp_path, limits={"body_bytes": 2000, "inflated_bytes": 4000}) as here:
        assert here.send("/v1/runs", runs(1, *range(20))).status_code == 413

        def chunks() -> Iterator[bytes]:
            for _ in range(30):
                yield b" " * 100

        assert here.client.post("/v1/runs", content=chunks(), headers=here.as_agent()).status_code == 413
        packed = gzip.compress(json.dumps(runs(1, *range(20))).encode())
        headers = here.as_agent(Content_Encoding="gzip")
        assert len(packed) < 2000
        assert here.client.post("/v1/runs", content=packed, headers=headers).status_code == 413
        assert here.client.post("/v1/enrol", content=b" " * 3000, headers=headers).status_code == 413


@pytest.mark.parametrize("honest", [True, False])
def test_an_inflation_bomb_costs_nothing(here: Collector, honest: bool) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    if not honest:  # the size gzip declares at its end may lie
        bomb = bomb[:-4] + (100).to_bytes(4, "little")
    headers = here.as_agent(Content_Encoding="gzip")
    took = []
    tracemalloc.start()
    for _ in range(3):
        began = time.perf_counter()
        assert here.client.post("/v1/runs", content=bomb, headers=headers).status_code == 413
        took.append(time.perf_counter() - began)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000
    assert min(took) < (0.1 if honest else 0.5)


@pytest.mark.parametrize("door", ["/v1/runs", "/v1/scan", "/v1/invitations", "/v1/accounts/a/lease", "/v1/metrics"])
def test_nobodys_body_is_not_even_read(here: Collector, door: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert here.client.post(door, content=b"not gzip at all", headers=headers).status_code == 401
