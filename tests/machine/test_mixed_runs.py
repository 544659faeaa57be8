"""A run whose access changed half-way says so, and no average has it."""

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from collector.model.run import Outcome, Phase, Run
from collector.model.verdict import Reference, Status
from collector.rows import sample_table
from collector.store import Batch, Slice
from collector.stores.memory import MemoryStore
from tests.worlds.generator import START, WIFI, Fault, World, runs, window_of

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
ALONE = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--"]


def why_not() -> str | None:
    if not all(map(shutil.which, ("unshare", "ip"))):
        return "unshare or ip is not installed"
    tried = subprocess.run([*ALONE, "mount", "-t", "sysfs", "sysfs", "/sys"], capture_output=True, check=False)
    return "no namespaces here" if tried.returncode else None


def test_a_pulled_cable_and_a_moved_route_mark_the_run(tmp_path: Path) -> None:
    skipped = why_not()
    if skipped:
        pytest.skip(skipped)
    command = [*ALONE, sys.executable, "-m", "tests.agents.moved", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    alone, pulled, moved, after = map(TypeAdapter(Run).validate_json, done.stdout.splitlines())
    assert [run.outcome for run in (alone, pulled, moved, after)] == [Outcome.OK] * 4
    assert [run.mixed for run in (alone, pulled, moved, after)] == [False, True, True, False]
    assert pulled.facts["context_changed"] == "carrier"
    assert moved.facts["context_changed"] == "device, gateway"
    assert "context_changed" not in alone.facts


def test_mixed_runs_are_stored_and_in_no_average() -> None:
    """A fault that only runs have whose access changed is nobody's: noted, not blamed."""
    faulty = World(faults=[Fault(seconds={Phase.PROCESSING: 2.0}, populations=[WIFI])])
    late = START + timedelta(seconds=600)
    walked = [
        replace(run, mixed=True) if run.access.population == WIFI and run.slot >= late else run for run in runs(faulty)
    ]
    marked = sum(run.mixed for run in walked)
    assert marked > 20
    store = MemoryStore()
    store.append(Batch(batch_id="a:1", sender="a", runs=tuple(walked)))
    asked = Slice(start=START, end=START + timedelta(hours=1))
    steps, rows = store.scan("steps", asked), store.scan("runs", asked)
    hourly = store.hourly(asked)
    store.close()
    assert sum(rows.column("mixed").to_pylist()) == marked
    assert sum(hourly.column("runs").to_pylist()) == steps.num_rows - marked * len(walked[0].steps)
    facts = window_of(steps, sample_table([]), faulty.seconds)
    found = conclude(facts, Reference.EXPECTED, AnalysisSettings(seasonal=False), now=facts.end)
    assert not [verdict for verdict in found if verdict.status in {Status.SLOW, Status.FAILING}]
    words = f"{marked} runs left out: their access changed on the way"
    assert {v.population for v in found if words in v.data_quality} == {WIFI}
