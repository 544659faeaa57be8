"""The lab throws a held session out for real: a link that carries nothing, and work read back afterwards."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def test_a_cut_link_is_told_as_the_network_and_the_work_is_told_right() -> None:
    command = [sys.executable, "-m", "deploy.lab.drops", "--cause", "link cut", "--count", "1", "--lost-work", "1"]
    command += ["--grace", "2", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        told, problems = lab.communicate(timeout=200)
    if "LabError" in problems and not told:
        pytest.skip(problems.strip().splitlines()[-1])
    assert lab.returncode == 0, problems + told
    found = json.loads(told)
    assert found["matrix"] == {"link cut": {"network": 1}}
    assert "no end within 1 s, still waiting for the connection" in found["lines"][0]["evidence"]
    assert (found["lost_work"], found["lost_work_right"]) == (1, 1)
    assert not list(Path("/var/tmp").glob(f"whichlayer-desk-{lab.pid}-*")), "nothing is left behind"
