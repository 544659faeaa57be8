"""The page Alerts, its CSV and JSON, full and empty."""

import csv
import io
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collector.registries.database import DatabaseRegistry
from tests.browser.alerts import alerts
from tests.browser.scene import HOSTILE, site

pytestmark = pytest.mark.integration


def test_what_rules_say_and_what_became_of_the_messages(tmp_path: Path) -> None:
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with (
        site(tmp_path, registry=registry) as app,
        TestClient(app, client=("127.0.0.1", 1), base_url="http://127.0.0.1") as client,
    ):
        empty = client.get("/alerts").text
        assert "alerts:" in empty
        assert "/api/v1/alerts.csv" not in empty
        assert "alerts are open" not in client.get("/").text
        alerts(registry)
        page = client.get("/alerts").text
        for said in (
            "4 of the last 5 runs took longer than 2.0 s (3 open an alert).",
            "17.2 times too fast over 60 min and 20.0 times over 5 min. It is overspent by 37 %, counted since 20",
            "Nothing was heard since 10:20: whether it is well is not known.",
            "Saving in case-record over WiFi has been about 4.2 s slower than usual",
            "kim looks after it",
            "waiting after 1 attempt: the webhook answers 503",
            "sent; it may have come twice, under one id",
            "maintenance: ignore",
            'href="/why/v-wifi-save"',
        ):
            assert said in page, said
        assert HOSTILE not in page
        assert "4 alerts are open" in client.get("/").text
        rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/alerts.csv").text)))
        assert [row["state"] for row in rows] == ["critical", "critical", "warning", "stale", "maintenance", "ok"]
        assert rows[2]["evidence"].startswith("4 of the last 5 runs")
        assert [row["state"] for row in client.get("/api/v1/alerts").json()] == [row["state"] for row in rows]
