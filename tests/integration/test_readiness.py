"""What /readyz and /metrics say: ready, or what is wrong and since when."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.stores.lake import LakeStore
from tests.doors.knock import Collector, collector, runs

pytestmark = pytest.mark.integration
READY = {"status": "ok", "store": "ok", "registry": "ok"}


@contextmanager
def unusable(folder: Path) -> Iterator[None]:
    """A file stands where the folder was: nothing can be written there, not even by root."""
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_text("")
    yield
    folder.unlink()
    away.rename(folder)


def wait(here: Collector, status: int) -> dict[str, object]:
    for _ in range(500):
        answer = here.client.get("/readyz")
        if answer.status_code == status:
            found: dict[str, object] = answer.json() | {"media": answer.headers["content-type"]}
            return found
        time.sleep(0.02)
    raise AssertionError(f"/readyz never said {status}")


def test_readiness_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector(tmp_path) as here:
        assert here.client.get("/healthz").json() == {"status": "ok"}
        assert here.client.get("/readyz").json() == READY
        full = replace(here.store.status(), spool_bytes=96, spool_limit_bytes=100)
        monkeypatch.setattr(here.store, "status", lambda: full)
        with sqlite3.connect(here.folder / "registry.sqlite") as database:
            database.execute("DROP TABLE accounts")
        answer = here.client.get("/readyz")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "almost full" in answer.json()["store"]
        assert "does not answer" in answer.json()["registry"]
        assert here.client.get("/healthz").status_code == 200


def test_a_lake_that_takes_no_rows_is_not_ready_from_the_first_flush_that_failed(tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    with collector(tmp_path, store=LakeStore(tmp_path / "data", flush_seconds=0.05)) as here:
        with unusable(tmp_path / "data" / "lake" / "data"):
            assert here.send("/v1/runs", runs(1)).status_code == 204
            first = wait(here, 503)
            time.sleep(0.2)  # more flushes fail
            again = wait(here, 503)
            page = here.client.get("/metrics", headers=here.as_operator()).text
            since = here.store.status().flush_failing_since
        assert first == again, "it fails since the first failure, not since the last"
        assert first["media"] == "application/problem+json"
        assert (first["status"], first["registry"]) == (503, "ok")
        assert since is not None
        assert before < since < datetime.now(UTC)
        assert since.isoformat(timespec="seconds") in str(first["detail"])
        assert str(tmp_path) not in str(first), "anybody may ask: no paths"
        (shown,) = re.findall(r"^whichlayer_store_flush_failing_since_timestamp_seconds (\S+)", page, re.MULTILINE)
        assert float(shown) == pytest.approx(since.timestamp(), abs=0.001)
        assert {name: wait(here, 200)[name] for name in READY} == READY
        assert here.store.status().flush_failure == ""
