"""The page of data quality: what was wrong, of what, from when to when."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind
from collector.quality.ledger import tell
from tests.browser.scene import HOSTILE, NOW, site

pytestmark = pytest.mark.integration


def test_entries_are_shown_by_kind_and_escaped_and_a_verdict_leads_to_them(tmp_path: Path) -> None:
    event = QualityEvent(
        event_id="1",
        told_at=NOW,
        at=NOW - timedelta(minutes=10),
        site="town",
        kind=QualityKind.SOURCE_FAILURE,
        subject="lun-7",
        layers=(Layer.STORAGE,),
        detail=HOSTILE,
    )
    with (
        site(tmp_path) as app,
        TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)) as client,
    ):
        assert "no entry for this time" in client.get("/quality").text
        tell(app.state.pages.store, [event, *(replace(event, event_id=f"{n}", subject=f"lun-{n}") for n in (8, 9))])
        text = client.get("/quality").text
        assert "Could not be read: lun-7, lun-8, lun-9 (storage)" in text
        assert "Wrong now" in text
        assert HOSTILE not in text
        assert "lun-7" not in client.get("/quality?kind=gap").text
        assert client.get("/quality?kind=none").status_code == 400
        assert 'href="/quality?start=' in client.get("/why/v-wifi-open").text
