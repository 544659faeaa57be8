"""``whichlayer import``: looked at first, kept once, and not at all when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.collector.test_perfmon import ROWS, log

pytestmark = pytest.mark.integration


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "whichlayer", "import", "log.csv", "--kind", "perfmon", *words]
    return subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "whichlayer.yaml").write_text("site: council\n")
    (tmp_path / "log.csv").write_text(log(*ROWS))
    return tmp_path


def told(folder: Path, *words: str) -> dict[str, Any]:
    done = command(folder, "--json", *words)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_it_is_looked_at_kept_and_kept_once(folder: Path) -> None:
    looked = told(folder, "--dry-run")
    assert "new" not in looked
    assert not (folder / "whichlayer-data").exists()
    assert [(row["component"], row["samples"]) for row in looked["rows"]] == [("app01", 1), ("app01-d", 2)]
    assert [told(folder)["new"], told(folder)["new"]] == [True, False]
    assert "nothing new" in command(folder).stdout


def test_a_wrong_file_is_refused_with_its_line_and_nothing_is_kept(folder: Path) -> None:
    (folder / "log.csv").write_text(log(ROWS[0], '"11/26/2026 10:40:15.000","x","1"'))
    done = command(folder)
    assert done.returncode == 2
    assert "log.csv:3:2 is no number" in done.stderr
    assert not (folder / "whichlayer-data").exists()


def test_a_file_of_which_nothing_can_be_kept_is_not_a_success(folder: Path) -> None:
    (folder / "log.csv").write_text(log('"11/26/2026 10:40:00.000","1"', counters=(r"\\\\APP01\Nobody\Maps This",)))
    done = command(folder)
    assert done.returncode == 1
    assert "Nothing in it can be kept" in done.stdout
