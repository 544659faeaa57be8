"""A lake of an earlier version is brought up to date, and what was in it stays what it was."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.model.access import Access, Link, Presentation
from collector.model.session import SessionEvent, SessionEventKind
from collector.store import Batch, Slice
from collector.stores import _catalog
from tests.stores.openers import OPENERS

pytestmark = pytest.mark.integration
T0 = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
FIRST = "0001_facts.sql"
BEFORE = """
INSERT INTO lake.sessions ("at", session_id, site, endpoint, link, presentation, environment, kind, open_seconds)
VALUES (TIMESTAMP '2026-11-27 08:00:00', 'held', 's', 'pc', 'wired', 'vnc', 'live', 'alive', 60)
"""


def test_sessions_of_before_are_held_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / FIRST).write_text((_catalog._SCHEMA / FIRST).read_text())
    lake = tmp_path / "lake"
    with monkeypatch.context() as earlier:
        earlier.setattr(_catalog, "_SCHEMA", steps)
        with _catalog.connect(lake, owner=tmp_path / "owner", memory_limit="200MB", threads=1) as connection:
            connection.execute(BEFORE)
    citrix = Access(link=Link.UNKNOWN, presentation=Presentation.CITRIX)
    event = SessionEvent(
        session_id="real", site="s", endpoint="vda-01", access=citrix,
        at=T0 + timedelta(minutes=1), kind=SessionEventKind.STARTED, open_seconds=0.0, synthetic=False,
    )  # fmt: skip
    with OPENERS["lake"](tmp_path) as store:
        store.append(Batch(batch_id="1", sender="a", sessions=(event,)))
        store.flush()
        rows = store.scan("sessions", Slice(start=T0, end=T0 + timedelta(hours=1))).to_pylist()
    assert [(row["session_id"], row["synthetic"]) for row in rows] == [("held", None), ("real", False)]
