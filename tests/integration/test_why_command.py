"""``whichlayer why`` on a lake of synthetic facts, and the regular analysis in a worker process."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.job import analyse
from analysis.settings import AnalysisSettings
from collector.model.verdict import Status
from collector.settings import CollectorSettings
from collector.store import Batch
from tests.worlds.culprits import CULPRITS
from tests.worlds.generator import START, runs, samples
from whichlayer.__main__ import APP
from whichlayer.data import local

pytestmark = pytest.mark.integration
WORLD = replace(CULPRITS["the storage under the database is slow"][1], seconds=700.0)
END = START + timedelta(seconds=WORLD.seconds)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    store, registry = local(CollectorSettings(data=folder))
    store.append(Batch(batch_id="a:1", sender="a", runs=tuple(runs(WORLD)), samples=tuple(samples(WORLD))))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = analyse(store, registry, AnalysisSettings(seasonal=False), now=END, pool=pool)
    assert {v.status for v in found} >= {Status.SLOW, Status.NORMAL}
    store.close()
    registry.close()
    return folder


def asked(data: Path, *more: str) -> str:
    window = ["--start", f"{START:%Y-%m-%dT%H:%M:%S}", "--end", f"{END:%Y-%m-%dT%H:%M:%S}"]
    missing = str(data / "none.yaml")
    done = CliRunner().invoke(APP, ["why", "--data", str(data), "--config", missing, *window, *more])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_json_is_a_list_worst_first(data: Path) -> None:
    found = json.loads(asked(data, "--json"))
    assert [v["status"] for v in found][:6] == ["slow"] * 6
    assert {v["layers"][0]["layer"] for v in found[:6]} == {"storage"}
    estimates = [v["excess_seconds"]["estimate"] for v in found[:6]]
    assert estimates == sorted(estimates, reverse=True)


def test_sentences_name_the_layer_once_with_its_evidence(data: Path) -> None:
    text = asked(data)
    assert "storage" in text
    assert "for: the database's part took" in text
    assert "The same answer for 5 more" in text
    assert "9 steps by access: as usual" in text


def test_a_wrong_reference_says_what_to_write(data: Path) -> None:
    done = CliRunner().invoke(APP, ["why", "--data", str(data), "--against", "average"])
    assert done.exit_code == 2
    assert "expected, target, reference" in done.output


def test_the_plan_says_what_the_core_is_not_told_from_and_what_would_tell_it(data: Path) -> None:
    until = ["--end", f"{END:%Y-%m-%dT%H:%M:%S}", "--last", "10m", "--step", "save", "--access", "wifi"]
    more = ["--data", str(data), "--config", str(data / "none.yaml"), *until]
    done = CliRunner().invoke(APP, ["plan", *more, "--json"])
    (step,) = json.loads(done.stdout)
    (group,) = [one for one in step["groups"] if one["status"] == "slow" and "network_core" in one["layers"]]
    together = ["network_core", "virtualisation", "app_server", "application"]
    assert (group["layers"], group["left"]) == (together, [])
    assert [one["name"] for one in group["additions"]] == ["new connection"]
    text = " ".join(CliRunner().invoke(APP, ["plan", *more]).stdout.split())
    assert "network core, virtualisation, app server and application cannot be told apart." in text
    assert "cost: 0 runs/h; rights: none; new machines: 0" in text


def test_a_stored_verdict_is_shown_with_all_its_versions_and_why_they_came(data: Path) -> None:
    store, registry = local(CollectorSettings(data=data))
    last = registry.verdicts(START, END)[0]
    registry.put_verdicts([replace(last, version=2, open=False, changed=("it ended",))])
    store.close()
    registry.close()
    at = ["--data", str(data), "--config", str(data / "none.yaml")]
    done = CliRunner().invoke(APP, ["why", "--verdict", last.id, *at])
    assert f"verdict {last.id} version 2" in " ".join(done.stdout.split())
    assert "version 1, " in done.stdout
    assert "UTC: it ended" in done.stdout
    first = json.loads(CliRunner().invoke(APP, ["why", "--verdict", last.id, "--version", "1", "--json", *at]).stdout)
    assert [one["version"] for one in first] == [1, 2]
    assert first[0]["settings"]["seasonal"] is False
    assert "numpy" in first[0]["made_with"]
    assert CliRunner().invoke(APP, ["why", "--verdict", last.id, "--version", "9", *at]).exit_code != 0
