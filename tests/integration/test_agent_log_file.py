"""Without a console (pythonw in a scheduled task) everything a person must know is in the log file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agents.rig import write_plan

pytestmark = pytest.mark.integration
WITHOUT_CONSOLE = "import sys; sys.stdout = sys.stderr = None; from whichlayer.__main__ import main; main()"


def run(*arguments: str) -> int:
    command = [sys.executable, "-c", WITHOUT_CONSOLE, "agent", *arguments]
    environment = {**os.environ, "WL_USER": "probe", "WL_PASSWORD": "right-9317"}
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


def test_why_it_could_not_run_is_in_the_log_file(tmp_path: Path) -> None:
    config, log = write_plan(tmp_path, "http://127.0.0.1:9"), tmp_path / "logs" / "agent.log"
    assert run("run", "--config", str(config), "--log", str(log)) == 1
    last = json.loads(log.read_text().splitlines()[-1])
    assert "this agent is not enrolled" in last["reason"]
    config.write_text(config.read_text().replace("every: 1 s", "every: never"))
    assert run("run", "--config", str(config), "--log", str(log)) == 2
    assert "every: is not a duration" in json.loads(log.read_text().splitlines()[-1])["reason"]
    assert "right-9317" not in log.read_text()
