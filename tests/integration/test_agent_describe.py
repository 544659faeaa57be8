"""The sheet for change control says what the plan will do, in numbers that can be added up again."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes.account import Accounts
from probes.agent.outbox import Kind, Outbox
from probes.credentials import Credentials, save
from probes.lock import held
from tests.agents.rig import write_plan

PROGRAM = [sys.executable, "-m", "whichlayer", "agent", "describe", "--config"]
CANARY = "right-9317"
MORE = """\
  collector: {url: "https://collector.example:8620"}
  telemetry: {endpoint: "http://otlp.example:4318"}
  metrics: {port: 9620}
  samplers:
    - {sampler: host, component: desk-1, every: 30 s}
    - {sampler: citrix, component: desk-1, every: 60 s}
    - {sampler: resolve, component: dns, every: 60 s, settings: {name: cases.example}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = write_plan(tmp_path, "https://cases.example/app", more=MORE)
    config.write_text(
        config.read_text()
        .replace("every: 1 s\n", "every: 5 min\n")
        .replace("{logons_per_hour: 100000}", "{logons_per_hour: 48, endpoints: 4, concurrent_licences: 4}")
    )
    return config


def describe(config: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WL_PASSWORD", CANARY)
    done = subprocess.run([*PROGRAM, str(config), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout
    return done.stdout


def test_every_number_of_the_plan_is_on_the_sheet(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet: dict[str, Any] = json.loads(describe(config, "--json", monkeypatch=monkeypatch))
    load = {row["what"]: (row["a_day"], row["allowed"]) for row in sheet["load"]}
    assert load == {
        "runs of cases": (1152.0, None),
        "logons": (1152.0, 1152.0),
        "writes": (0.0, 0.0),
        "pages": (0.0, 0.0),
        "licences in use at once": (4.0, 4.0),
    }
    assert [(row["direction"], row["host"], row["port"]) for row in sheet["connections"]] == [
        ("out", "cases.example", 443),
        ("out", "collector.example", 8620),
        ("out", "otlp.example", 4318),
        ("in, loopback only", "127.0.0.1", 9620),
    ]
    assert [row["account"] for row in sheet["accounts"]] == ["probe-1"]
    assert sheet["accounts"][0]["secrets_by_reference"] == "password from env:WL_PASSWORD, username from env:WL_USER"
    assert [(row["by"], row["every_seconds"]) for row in sheet["reads"]] == [
        ("access", None), ("host", 30.0), ("citrix", 60.0), ("resolve", 60.0),
    ]  # fmt: skip
    journey = sheet["journeys"][0]
    assert journey["file_sha256"] == hashlib.sha256((config.parent / "cases.yaml").read_bytes()).hexdigest()
    assert re.fullmatch(r"[0-9a-f]{16}", journey["content_hash"])
    files = {row["file"]: row["most_bytes"] for row in sheet["files"]}
    assert files[f"{config.parent / 'state' / 'outbox.sqlite'} (-wal)"] == 64 << 20


def test_the_page_has_every_section_and_no_empty_one(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = describe(config, monkeypatch=monkeypatch)
    sections = page.split("\n## ")[1:]
    assert len(sections) == 12
    assert all(section.count("\n| ") + section.count("\n- ") >= 1 for section in sections), page
    assert "| logons | 1152 | 1152 | 24 h × ((cases every 300 s = 12 runs × 1) × 4 endpoints) |" in page


def test_describing_leaves_nothing_behind(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(path.name for path in config.parent.rglob("*"))
    describe(config, monkeypatch=monkeypatch)
    assert sorted(path.name for path in config.parent.rglob("*")) == before


def test_what_the_agent_writes_is_on_the_sheet(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a real agent's state folder are the ones the sheet names."""
    state = config.parent / "state"
    outbox = Outbox(state, limit_bytes=1 << 20)
    outbox.put(Kind.RUNS, ["{}"])
    batch = outbox.seal("agent-1")
    assert batch is not None
    outbox.refuse(batch, "a test")
    save(state, Credentials(agent_id="agent-1", token="t"))
    with held(state / "agent.lock", 0.0), Accounts(state / "accounts", None).use("probe-1", seconds=1, patience=0):
        present = {path.name.split("-")[0] if "outbox" in path.name else path.name for path in state.iterdir()}
    outbox.close()
    sheet = json.loads(describe(config, "--json", monkeypatch=monkeypatch))
    named = {Path(row["file"].partition(" ")[0]).name for row in sheet["files"]}
    assert {name.removesuffix("-journal") for name in present} <= named
