"""The agent as it is started by a person or a service manager: it walks in slots, survives kill -9, ends when told."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agents.rig import Casebook, LiveCollector, casebook, live_collector, wait_until, write_plan

pytestmark = pytest.mark.integration
PROGRAM = [sys.executable, "-m", "whichlayer", "agent"]
CANARY = "right-9317"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    with live_collector(tmp_path / "collector") as live:
        yield live


@pytest.fixture
def app() -> Iterator[Casebook]:
    with casebook(password=CANARY) as live:
        yield live


def environment() -> dict[str, str]:
    return {**os.environ, "WL_USER": "probe-user", "WL_PASSWORD": CANARY, "PYTHONWARNINGS": "error"}


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )


def plan(folder: Path, app: Casebook, collector: LiveCollector, more: str = "") -> Path:
    """Write a plan and enrol its agent."""
    config = write_plan(folder, app.url, more=f"  collector: {{url: '{collector.url}'}}\n{more}")
    done = agent("enrol", "--config", str(config), "--code", collector.invite("desk-1"))
    assert done.returncode == 0, done.stderr
    return config


@contextmanager
def running(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as errors:
        process = subprocess.Popen([*PROGRAM, "run", "--config", str(config)], env=environment(), stderr=errors)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)


def test_it_walks_in_slots_samples_and_ends_when_told(tmp_path: Path, app: Casebook, collector: LiveCollector) -> None:
    more = "  samplers: [{sampler: host, component: desk-1, every: 1 s}]\n  metrics: {port: 0}\n"
    config, log = plan(tmp_path / "agent", app, collector, more), tmp_path / "log"
    with running(config, log) as process:
        wait_until(lambda: len(collector.rows("runs")) >= 3, seconds=30)
        wait_until(lambda: collector.rows("samples"), seconds=30)
        address = re.search(r"http://127\.0\.0\.1:\d+/metrics", log.read_text())
        assert address is not None
        page = urllib.request.urlopen(address[0]).read().decode()
        second = agent("run", "--config", str(config))
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - asked < 8
    runs = collector.rows("runs")
    slots = [run["slot"].replace(tzinfo=UTC) for run in runs]
    assert len(set(slots)) == len(slots)
    assert all(slot.microsecond == 0 for slot in slots)
    starts = [run["started_at"].replace(tzinfo=UTC) for run in runs]
    assert all(0 <= (start - slot).total_seconds() < 1.0 for start, slot in zip(starts, slots, strict=True))
    assert {run["outcome"] for run in runs} == {"ok"}
    assert 'probe_success{journey="cases"} 1.0' in page
    assert re.search(r'probe_http_duration_seconds\{journey="cases",phase="processing",step="login"\} \d', page)
    assert second.returncode == 1
    assert "another agent runs with the state folder" in second.stderr
    text = log.read_text()
    assert CANARY not in text
    assert json.loads(text.splitlines()[-1])["event"] == "stopped"


def test_a_walk_that_hangs_is_abandoned_when_the_agent_is_told_to_stop(
    tmp_path: Path, collector: LiveCollector
) -> None:
    with casebook(password=CANARY, delay=9.0) as slow:
        config, log = plan(tmp_path / "agent", slow, collector), tmp_path / "log"
        with running(config, log) as process:
            wait_until(lambda: bool(slow.requests), seconds=30)
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            assert time.monotonic() - asked < 8.5
    assert "a walk was abandoned" in log.read_text()


def test_missed_slots_are_told_and_not_made_up_for(tmp_path: Path, collector: LiveCollector) -> None:
    with casebook(password=CANARY, delay=2.2) as slow:
        config, log = plan(tmp_path / "agent", slow, collector), tmp_path / "log"
        with running(config, log) as process:
            wait_until(lambda: len(collector.rows("runs")) >= 2, seconds=30)
            process.send_signal(signal.SIGTERM)
            process.wait(15)
    missed = [row["value"] for row in collector.rows("samples") if row["metric"] == "agent.slots.missed"]
    assert missed
    assert sum(missed) >= 2
    requests = [moment for moment, _ in slow.requests]
    assert all(later - earlier > 2.0 for earlier, later in itertools.pairwise(requests))
    assert slow.most_inside == 1


def test_once_shows_the_run_and_sends_nothing(tmp_path: Path, app: Casebook, collector: LiveCollector) -> None:
    config = plan(tmp_path / "agent", app, collector)
    shown = agent("once", "--config", str(config))
    assert shown.returncode == 0, shown.stderr
    assert "login" in shown.stdout
    assert "processing" in shown.stdout
    machine = agent("once", "--config", str(config), "--json")
    run = json.loads(machine.stdout)
    assert [step["step"] for step in run["steps"]] == ["login", "search"]
    assert run["access"]["link_source"]
    assert datetime.fromisoformat(run["slot"]).tzinfo is not None
    assert collector.rows("runs") == []
    app.password = "changed-3341"
    refused = agent("once", "--config", str(config))
    assert refused.returncode == 1
    assert CANARY not in refused.stdout + refused.stderr


def test_check_says_what_is_wrong_and_exits_2(tmp_path: Path, app: Casebook) -> None:
    config = write_plan(tmp_path, app.url)
    good = agent("check", "--config", str(config))
    assert good.returncode == 0
    assert "logons_per_hour: 3600 of 100000" in good.stdout
    config.write_text(config.read_text().replace("100000", "12"))
    bad = agent("check", "--config", str(config))
    assert bad.returncode == 2
    assert f"{config}:5:12 agent: budget.logons_per_hour: the plan asks 3600, 12 are allowed" in bad.stderr
    machine = agent("check", "--config", str(config), "--json")
    assert machine.returncode == 2
    assert [mistake["line"] for mistake in json.loads(machine.stdout)["mistakes"]] == [5]


def test_a_port_that_is_taken_is_said(tmp_path: Path, app: Casebook, collector: LiveCollector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = plan(tmp_path / "agent", app, collector, more=f"  metrics: {{port: {port}}}\n")
        done = agent("run", "--config", str(config))
    assert done.returncode == 1
    assert f"cannot listen on port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_agent_that_is_not_enrolled_says_what_to_do(tmp_path: Path, app: Casebook, collector: LiveCollector) -> None:
    config = write_plan(tmp_path / "agent", app.url)
    nowhere = agent("run", "--config", str(config))
    assert nowhere.returncode == 1
    assert "this agent is not enrolled: run whichlayer agent enrol --code CODE" in nowhere.stderr
    wrong = agent("enrol", "--config", str(config), "--collector", collector.url, "--code", "not-a-code")
    assert wrong.returncode == 1
    assert "unknown, used or older than a day" in wrong.stderr
    other = agent("enrol", "--config", str(config), "--collector", collector.url, "--code", collector.invite("desk-2"))
    assert other.returncode == 1
    assert "or for another endpoint" in other.stderr
    assert not (tmp_path / "agent" / "state" / "credentials.json").exists()
    code = collector.invite("desk-1")
    assert agent("enrol", "--config", str(config), "--collector", collector.url, "--code", code).returncode == 0
    token = tmp_path / "agent" / "state" / "credentials.json"
    assert token.stat().st_mode & 0o077 == 0
    unsent = agent("run", "--config", str(config))
    assert "no collector is known" in unsent.stderr
