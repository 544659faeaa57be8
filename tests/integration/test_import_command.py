"""``whichlayer import``: looked at first, kept once, and not at all when something is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from collector.pseudonym import Pseudonyms
from collector.settings import CollectorSettings
from tests.stores.facts import EVER
from tests.unit.collector.test_eventlog import LOG
from tests.unit.collector.test_perfmon import ROWS, log
from whichlayer import import_table
from whichlayer.data import opened
from whichlayer.import_kind import importer

pytestmark = pytest.mark.integration


EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def command(folder: Path, *words: str, file: str = "log.csv") -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "whichlayer", "import", file, *words]
    wide = os.environ | {"COLUMNS": "80"}
    return subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False, env=wide)


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


def test_a_table_is_shown_at_80_columns_with_no_name_time_or_number_folded(folder: Path) -> None:
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    mapping = (folder / "array.yaml").read_text().replace("unit: ms}", "unit: s}", 1)
    (folder / "array.yaml").write_text(mapping)
    shown = command(folder, "--map", "array.yaml", "--dry-run", file="array.csv").stdout
    assert "LUN-7 | 26.11.2026 10:40 | 4,2" in shown
    for whole in ("storage.array.utilization", "storage.lun.write.latency", "2026-11-26 09:40", "0.0011 s", "1.1 ms"):
        assert whole in shown
    assert "unit surprise: storage.lun.read.latency is 11.47 s in the middle on lun-7" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_an_event_log_is_shown_by_machine_and_kept_under_pseudonyms_of_the_site(folder: Path) -> None:
    (folder / "ts01.xml").write_text(LOG, encoding="utf-16")
    words = ("--held", "COUNCIL\\probe-3=ward-3-pc")
    shown = command(folder, *words, "--dry-run", file="ts01.xml").stdout
    assert "ts01.council.example: 1 × disconnected: idle time limit (reason 3)" in shown
    assert "; held from ward-3-pc" in " ".join(shown.split())
    assert "14 events, kept nothing: --dry-run" in shown
    assert not (folder / "whichlayer-data").exists()
    kept = json.loads(command(folder, *words, "--json", file="ts01.xml").stdout)
    assert (kept["new"], sum(row["events"] for row in kept["events"])) == (True, 14)
    key = Pseudonyms.of_site(folder / "whichlayer-data")
    with opened(CollectorSettings(data=folder / "whichlayer-data")) as (store, _):
        rows = store.scan("host_events", EVER).to_pylist()
    assert {row["user"] for row in rows if row["endpoint"]} == {key.of("user", "council\\probe-3")}
    left = b"".join(path.read_bytes() for path in (folder / "whichlayer-data").rglob("*") if path.is_file())
    assert [name for name in (b"Smith", b"smith", b"probe-3") if name in left] == []
    with pytest.raises(typer.BadParameter, match="write USER=ENDPOINT"):
        import_table.held(["nobody"])


def test_a_kind_that_cannot_be_told_is_asked_for(folder: Path) -> None:
    (folder / "what.bin").write_bytes(b"what")
    with pytest.raises(typer.BadParameter, match="give one of eventlog, junit, k6"):
        importer(folder / "what.bin", None)
    assert importer(folder / "log.csv", None)[0] == "perfmon"


def test_the_report_of_another_tool_is_known_by_its_beginning_and_shown_as_runs(folder: Path) -> None:
    shutil.copy(EXAMPLES.parents[1] / "tests" / "recordings" / "robot-7.xml", folder / "output.xml")
    words = ("--endpoint", "ward-3", "--link", "wired", "--presentation", "citrix", "--zone", "Europe/London")
    shown = " ".join(command(folder, *words, "--dry-run", file="output.xml").stdout.split())
    for part in ("open-a-record:", "ward-3, citrix over wired", "3 runs, kept nothing: --dry-run"):
        assert part in shown
