"""``whichlayer explain``: every station of one run, from a real lake, for people and for machines."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.model.layer import Layer
from collector.model.run import Outcome, Phase, StepTiming
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.lake import LakeStore
from tests.browser.scene import WIFI, make_run, sample, slow

pytestmark = pytest.mark.integration

RUN = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep one run, one sample beside it and the verdict that counts it in; give the folder."""
    made = tmp_path_factory.mktemp("explain")
    (made / "data").mkdir(mode=0o700)
    (made / "whichlayer.yaml").write_text("site: town\ncollector:\n  data: data\npages:\n  timezone: Europe/London\n")
    slot = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
    steps = (
        StepTiming(
            step="login", outcome=Outcome.OK, seconds=0.4, phases={Phase.CONNECT: 0.1}, uncertainty_seconds=0.001
        ),
        StepTiming(step="save", outcome=Outcome.TIMEOUT, seconds=5.0, censored=True, error="no answer within 5 s [x]"),
    )
    store = LakeStore(made / "data", spool_limit_bytes=1 << 20, flush_seconds=None)
    registry = DatabaseRegistry(f"sqlite:///{made / 'data' / 'registry.sqlite'}")
    beside = sample("lun-7", Layer.STORAGE, "storage.write.latency", slot, 0.0042)
    store.append(Batch(batch_id="a:1", sender="a", runs=(make_run(RUN, slot, WIFI, steps),), samples=(beside,)))
    store.flush()
    registry.put_verdicts([slow(start=slot - timedelta(minutes=5), end=slot + timedelta(minutes=5))])
    registry.close()
    store.close()
    return made


def explain(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "whichlayer", "explain", *arguments]
    environment = {"PATH": "", "COLUMNS": "200", "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_machines_get_every_station(folder: Path) -> None:
    done = explain(folder, RUN, "--json")
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert story["run"]["run_id"] == RUN
    assert story["run"]["journey_hash"] == "0123456789abcdef"
    assert story["run"]["facts"] == {"release": "3.58"}
    assert [step["step"] for step in story["steps"]] == ["login", "save"]
    assert story["steps"][0]["connect"] == 0.1
    assert "tls" not in story["steps"][0]  # absent is not 0
    assert story["steps"][1]["censored"] is True
    assert story["kept"]["state"] == "lake"
    assert story["samples"][0]["value"] == 0.0042
    assert story["verdicts"][0]["id"] == "v-wifi-save"


def test_people_get_the_same_in_words(folder: Path) -> None:
    done = explain(folder, RUN)
    assert done.returncode == 0, done.stderr
    for said in (
        "≥ 5.0 s",
        "no answer within 5 s [x]",
        "connect 0.10 s",
        "in the lake",
        "4.2 ms",
        "Saving in case-record",
    ):
        assert said in done.stdout


def test_an_unknown_run_says_what_to_do(folder: Path) -> None:
    done = explain(folder, "f" * 32)
    assert (done.returncode, done.stdout) == (1, "")
    assert "copy the whole id" in done.stderr
