"""A real firewall on the way: what it does is told apart from what the far end does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector.model.run import Outcome, Phase

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
ALONE = ["unshare", "--user", "--map-root-user", "--net", "--"]

WANTED = {
    "open http": (Outcome.OK, None),
    "filtered http": (Outcome.TIMEOUT, "filtered"),
    "refused http": (Outcome.FAILED, "refused"),
    "unreachable http": (Outcome.FAILED, "unreachable"),
    "reset http": (Outcome.FAILED, "reset_request"),
    "reset https": (Outcome.FAILED, "reset_handshake"),
    "swallowed http": (Outcome.TIMEOUT, "slow_answer"),
    "swallowed https": (Outcome.TIMEOUT, "handshake_silent"),
}


def why_not() -> str | None:
    if not all(map(shutil.which, ("nft", "unshare", "ip"))):
        return "nft, unshare or ip is not installed"
    tried = subprocess.run([*ALONE, "nft", "list", "ruleset"], capture_output=True, text=True, check=False)
    return f"no firewall in a namespace here: {tried.stderr.strip()}" if tried.returncode else None


def test_what_a_firewall_does_is_told_apart(tmp_path: Path) -> None:
    skipped = why_not()
    if skipped:
        pytest.skip(skipped)
    command = [*ALONE, sys.executable, "-m", "tests.links.walled", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    told = {one["fault"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert {fault: (one["outcome"], one["kind"]) for fault, one in told.items()} == WANTED
    assert Phase.CONNECT not in told["filtered http"]["phases"]
    assert Phase.CONNECT in told["swallowed https"]["phases"]
    assert told["filtered http"]["seconds"] == pytest.approx(0.6)
    assert "firewall" in told["filtered http"]["error"]
    assert "far end" in told["refused http"]["error"]
