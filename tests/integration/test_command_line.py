"""The command line as a whole: help, version, and how it ends when something is wrong."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from collector.plugin import names
from whichlayer import commands


def whichlayer(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "whichlayer", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_says_its_version() -> None:
    assert whichlayer("--version").stdout == f"whichlayer {version('whichlayer')}\n"


def test_help_names_every_command() -> None:
    done = whichlayer("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in names(commands))


@pytest.mark.parametrize("words", [("agent", "check"), ("agent", "once"), ("up",), ("why",)])
def test_a_wrong_configuration_names_every_mistake_and_ends_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "whichlayer.yaml").write_text("site: Not A Name\nagent:\n  endpoint: e\n  pasword: canary-31\n")
    done = whichlayer(*words, folder=tmp_path)
    assert done.returncode == 2
    assert "whichlayer.yaml:1:1 site: must be" in done.stderr
    assert "whichlayer.yaml:4:3 agent.pasword: is not a known key" in done.stderr
    assert "canary-31" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    done = whichlayer("up", folder=tmp_path)
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
