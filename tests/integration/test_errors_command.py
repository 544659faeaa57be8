"""``whichlayer errors`` on a lake: the same counts as the page, for people and for programs."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.model.run import Outcome, StepTiming
from collector.settings import CollectorSettings
from collector.store import Batch
from tests.browser.scene import NOW, WIRED, make_run
from whichlayer.__main__ import APP
from whichlayer.data import local

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    store, registry = local(CollectorSettings(data=folder))
    runs = []
    for number in range(10):
        locked = StepTiming(step="save", outcome=Outcome.FAILED, error_kind="expect", error=f"case {number} is locked")
        good = StepTiming(step="save", outcome=Outcome.OK, seconds=0.2)
        made = make_run(f"{number:032x}", NOW - timedelta(hours=number), WIRED, (locked if number < 3 else good,))
        runs.append(replace(made, facts={"release": "3.58" if number < 5 else "3.57"}))
    store.append(Batch(batch_id="a:1", sender="a", runs=tuple(runs)))
    store.flush()
    store.close()
    registry.close()
    return folder


def asked(data: Path, *more: str) -> str:
    end = f"{NOW + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"
    words = ["errors", "--data", str(data), "--config", str(data / "none.yaml"), "--end", end, *more]
    done = CliRunner().invoke(APP, words, env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_json_has_rate_and_times(data: Path) -> None:
    (found,) = json.loads(asked(data, "--json"))
    assert (found["template"], found["release"], found["runs"], found["of_runs"]) == ("case # is locked", "3.58", 3, 5)
    assert found["rate"] == pytest.approx(0.6)
    assert (found["first_seen"], found["last_seen"]) == ("2026-11-23T09:00:00Z", "2026-11-23T11:00:00Z")
    assert found["new"]
    assert found["last_run"] == "0" * 32


def test_the_table_says_the_same_and_an_empty_window_says_so(data: Path) -> None:
    text = asked(data)
    assert "case # is locked" in text
    assert "60 % (3 of 5)" in text
    assert "No step failed" in asked(data, "--journey", "other")
    assert "No step failed" in asked(data, "--last", "30s")
