"""``whichlayer up`` with alerts: from failed runs at the door to a signed message, the command, page and metrics."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from collector.registry import Scope
from tests.agents.rig import wait_until
from tests.doors.knock import run
from tests.doors.owner import configuration, owner
from tests.doubles.mail import mailbox
from tests.doubles.receiver import receiver
from whichlayer.__main__ import APP
from whichlayer.data import opened
from whichlayer.settings import load

pytestmark = pytest.mark.integration
CANARY = "canary-81d0"
ALERTS = """
analysis: {{interval_seconds: 0.5}}
alerts:
  address: https://pages.test
  to:
    - {{kind: webhook, settings: {{url: "file:{folder}/url", secret: "file:{folder}/key"}}}}
    - {{kind: email, settings: {{host: 127.0.0.1, port: {port}, security: none, sender: a@b.test, to: [{to}]}}}}
"""


def command(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(APP, list(words))
    return result.exit_code, result.output


def private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def failed(number: int, now: datetime) -> dict[str, object]:
    slot = (now - timedelta(seconds=30 - number)).isoformat()
    step = {"step": "save", "outcome": "failed", "error_kind": "status", "http_status": 500}
    return run(number, slot=slot, started_at=slot, outcome="failed", steps=[step])


def test_from_the_door_to_the_message(tmp_path: Path) -> None:
    with receiver() as http, mailbox() as mail:
        private(tmp_path / "url", f"{http.url}/{CANARY}")
        private(tmp_path / "key", CANARY)
        config = configuration(tmp_path, ALERTS.format(folder=tmp_path, port=mail.port, to="it@council.test"))
        code, said = command("alerts", "test", "--config", str(config))
        assert (code, said.count(": sent")) == (0, 2)
        assert http.bodies[0]["kind"] == "test"
        now = datetime.now(UTC)
        with opened(load(config).collector) as (_, registry):
            given = registry.enrol(registry.invite("ward-3-pc", scope=Scope.AGENT, now=now), now=now)
        assert given is not None
        with owner(config) as running:
            url = running.ready()
            headers = {"Authorization": f"Bearer {given.token}"}
            body = {"sequence": 1, "runs": [failed(number, datetime.now(UTC)) for number in (1, 2, 3)]}
            assert httpx2.post(f"{url}/v1/runs", json=body, headers=headers).status_code == 204
            wait_until(lambda: len(http.requests) > 1 and len(mail.mails) > 1, seconds=90)
            told = http.bodies[1]
            assert (told["kind"], told["state"]) == ("opened", "critical")
            assert told["alerts"][0]["url"].startswith(
                "https://pages.test/why?site=test-site&journey=case-record&step=save"
            )
            _, listed = command("alerts", "--json", "--config", str(config))
            (critical,) = [one for one in json.loads(listed) if one["state"] == "critical"]
            assert critical["evidence"] == "3 of the last 3 runs failed, timed out or were dropped (3 open an alert)."
            _, table = command("alerts", "--config", str(config))
            assert "critical" in table
            code, said = command("alerts", "acknowledge", critical["key"], "--by", "kim", "--config", str(config))
            assert said.startswith("kim looks after")
            assert httpx2.get(f"{url}/api/v1/alerts").json()[0]["acknowledged_by"] == "kim"
            metrics = httpx2.get(f"{url}/metrics").text
            assert 'whichlayer_alerts{rule="down",state="critical"} 1.0' in metrics
            page = httpx2.get(f"{url}/alerts").text
            log = running.log.read_text()
        assert CANARY not in table + listed + page + metrics + log + said
        assert len(http.requests) == 2


def test_a_channel_that_does_not_work_is_said_at_its_line(tmp_path: Path) -> None:
    config = configuration(tmp_path, ALERTS.format(folder=tmp_path, port=1, to="it@council.test"))
    result = CliRunner().invoke(APP, ["alerts", "test", "--config", str(config)])
    assert "whichlayer.yaml:10:23 alerts.to.0.settings: the secret file" in str(result.exception)
    private(tmp_path / "url", "https://127.0.0.1:1/")
    private(tmp_path / "key", CANARY)
    code, said = command("alerts", "test", "--config", str(config))
    assert code == 1
    assert said.count("not sent") == 2
    code, said = command("alerts", "--config", str(config))
    assert "No rule has said anything yet." in said
