"""The page of errors: kinds, their rate by journey and release, and since when."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.browser.scene import site

pytestmark = pytest.mark.integration


def test_errors_are_counted_by_kind_journey_and_release(tmp_path: Path) -> None:
    with (
        site(tmp_path) as app,
        TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)) as client,
    ):
        text = client.get("/errors").text
        run = re.search(r'href="(/runs/[0-9a-f]{32})"', text)
        assert run is not None
        assert client.get(run[1]).status_code == 200
        assert "No step failed in another" in client.get("/errors?journey=another").text
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", text, re.DOTALL)
    assert len(rows) == 1
    assert "no answer within # s" in rows[0]
    assert "<strong>new</strong>" in rows[0]
    counted = re.search(r"\((\d+) of (\d+)\)", rows[0])
    assert counted is not None
    assert 0 < int(counted[1]) <= 18
    assert int(counted[2]) == 120 * 3 + 81
