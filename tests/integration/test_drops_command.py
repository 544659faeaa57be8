"""``whichlayer drops`` and the page of sessions: the same numbers, from the same facts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from analysis.drops import refresh
from analysis.settings import AnalysisSettings
from collector.model.host_event import HostEvent, HostLog
from collector.model.session import EndCause, Kept, SessionEvent
from collector.public import drops_json
from collector.registries.database import DatabaseRegistry
from collector.settings import CollectorSettings
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards import session_words
from tests.browser.scene import HOSTILE, NOW, site
from tests.worlds.lives import life
from whichlayer.__main__ import APP
from whichlayer.data import local

pytestmark = pytest.mark.integration


def events(end: datetime) -> Iterator[SessionEvent]:
    yield from life("a", end - timedelta(hours=40), 10, EndCause.USER)
    yield from life("b", end - timedelta(hours=20), 10, EndCause.HOST, work=(Kept.KEPT, Kept.LOST), detail=HOSTILE)


def command(data: Path, *more: str) -> str:
    done = CliRunner().invoke(APP, ["drops", "--data", str(data), "--config", str(data / "none.yaml"), *more])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_counts_what_the_store_holds(tmp_path: Path) -> None:
    assert session_words.NOTHING in command(tmp_path / "empty")
    (tmp_path / "data").mkdir()
    store, registry = local(CollectorSettings(data=tmp_path / "data"))
    store.append(Batch(batch_id="a:1", sender="a", sessions=tuple(events(datetime.now(UTC)))))
    store.close()
    registry.close()
    (rate,) = json.loads(command(tmp_path / "data", "--json"))["rates"]
    assert (rate["sessions"], rate["session_hours"], rate["drops"]) == (2, 20.0, 1)
    assert rate["drops_per_1000_session_hours"]["estimate"] == 50.0
    assert (rate["saved_work"], rate["unsaved_work"]) == ({"kept": 1}, {"lost": 1})
    text = command(tmp_path / "data", "--last", "7d")
    assert "case-record by WiFi: 50 (2.6 to 237) per 1,000 session-hours" in text
    assert "2 sessions, 20.0 h; 1 drop: host 1; no drops: as planned 1" in text
    assert json.loads(command(tmp_path / "data", "--last", "1h", "--json"))["rates"] == []


def test_the_log_of_a_sessions_machine_is_shown_beside_what_the_probe_saw(tmp_path: Path) -> None:
    store, registry = MemoryStore(), DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    end = NOW - timedelta(hours=1)
    one = {"site": "north", "host": "ts01", "log": HostLog.SESSIONS, "endpoint": "desk-1"}
    logged = (
        HostEvent(**one, at=end - timedelta(hours=9), event_number=21, said="logged on"),  # type: ignore[arg-type]
        HostEvent(**one, at=end, event_number=40, said="idle time limit (reason 3)", cause=EndCause.IDLE),  # type: ignore[arg-type]
    )
    lives = tuple(life("a", end - timedelta(hours=10), 10, EndCause.NETWORK))
    store.append(Batch(batch_id="a:1", sender="a", sessions=lives, host_events=logged))
    report = refresh(store, registry, AnalysisSettings(), now=NOW)
    assert registry.drops() == report
    (rate,) = drops_json(report)["rates"]
    assert (rate["drops"], rate["ends"], rate["ends_by_events"], rate["disagreements"]) == (0, {"idle": 1}, 1, 1)
    assert "log and probe say different things: 1" in "\n".join(session_words.lines(report))
    with site(tmp_path / "site", store=store, registry=registry) as app:
        page = TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)).get("/drops").text
    assert "idle time limit (reason 3). They differ: the probe saw network. The log&#39;s word is taken." in page


def test_the_page_shows_what_was_counted_or_that_nothing_was_held_open(tmp_path: Path) -> None:
    store, registry = MemoryStore(), DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with site(tmp_path / "site", store=store, registry=registry) as app:
        client = TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000))
        assert "Not counted yet" in client.get("/drops").text
        assert client.get("/api/v1/drops").json() is None
        refresh(store, registry, AnalysisSettings(), now=NOW)
        empty = client.get("/drops").text
        assert session_words.NOTHING in empty
        assert "is-normal" not in empty
        store.append(Batch(batch_id="a:1", sender="a", sessions=tuple(events(NOW))))
        report = refresh(store, registry, AnalysisSettings(), now=NOW)
        page = client.get("/drops").text
        assert session_words.often(report.rates[0]) in page
        assert "&lt;script&gt;alert(1)" in page
        assert HOSTILE not in page
        assert client.get("/api/v1/drops").json() == drops_json(report)
