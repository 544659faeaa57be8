"""Pooled desktops: the endpoint is the slot, its state lies on the profile, the machine under it comes and goes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agents.rig import casebook, live_collector, wait_until, write_plan

pytestmark = pytest.mark.integration
PROGRAM = [sys.executable, "-m", "whichlayer", "agent"]


def machine(folder: Path, profile: Path, collector: str, app: str) -> Path:
    """Set up one machine of the pool: its own files, the same endpoint, its state on the profile."""
    config = write_plan(folder, app, endpoint="ward-3-slot-2", more=f"  collector: {{url: '{collector}'}}\n")
    config.write_text(config.read_text().replace("state: state", f"state: {profile / 'whichlayer'}"))
    return config


def start(config: Path, log: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "WL_USER": "probe", "WL_PASSWORD": "right-9317"}
    with log.open("ab") as errors:
        return subprocess.Popen([*PROGRAM, "run", "--config", str(config)], env=environment, stderr=errors)


def walked(log: Path) -> set[str]:
    return {json.loads(line)["run_id"] for line in log.read_text().splitlines() if '"walked"' in line}


def test_a_run_that_was_finished_before_the_reboot_is_sent_by_the_next_machine(tmp_path: Path) -> None:
    with live_collector(tmp_path / "collector") as collector, casebook() as app:
        profile = tmp_path / "profile"
        profile.mkdir()
        first = machine(tmp_path / "machine-1", profile, collector.url, app.url)
        enrol = [*PROGRAM, "enrol", "--config", str(first), "--code", collector.invite("ward-3-slot-2")]
        subprocess.run(enrol, check=True, capture_output=True, timeout=60)
        collector.stop()
        log = tmp_path / "log-1"
        process = start(first, log)
        try:
            wait_until(lambda: log.exists() and len(walked(log)) >= 2, seconds=40)
        finally:
            process.kill()
            process.wait(10)
        before = walked(log)
        moved = profile.rename(tmp_path / "profile-elsewhere")
        shutil.rmtree(tmp_path / "machine-1")
        collector.start()
        second = machine(tmp_path / "machine-2", moved, collector.url, app.url)
        log = tmp_path / "log-2"
        process = start(second, log)
        try:
            wait_until(lambda: before <= {row["run_id"] for row in collector.rows("runs")}, seconds=40)
            wait_until(lambda: log.exists() and len(walked(log)) >= 1, seconds=40)
        finally:
            process.terminate()
            assert process.wait(15) == 0
        rows = collector.rows("runs")
    assert len({row["run_id"] for row in rows}) == len(rows)
    assert {row["endpoint"] for row in rows} == {"ward-3-slot-2"}
