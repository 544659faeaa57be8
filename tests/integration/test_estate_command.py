"""`whichlayer estate`: a map is checked, and listed beside what has data."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector import estate
from collector.model.layer import Layer
from collector.model.sample import Sample
from collector.store import Batch
from tests.stores.facts import run
from whichlayer.__main__ import APP
from whichlayer.data import opened
from whichlayer.settings import load

pytestmark = pytest.mark.integration
RUN = CliRunner()
MAP = """\
sites: [{name: here}]
environments: [live, test]
suppliers: [{name: hosting}]
components:
  - {name: app, layer: app_server, kind: vm, environments: [live], runs_on: [{on: host}]}
  - {name: app-test, layer: app_server, kind: vm, environments: [test], runs_on: [{on: host}]}
  - {name: host, layer: virtualisation, kind: host, called: ["ESX01.example"], supplied: [{by: hosting}]}
"""


def sample(component: str, age: timedelta) -> Sample:
    at = datetime.now(UTC) - age
    metric = "system.cpu.utilization"
    return Sample(site="here", component=component, layer=Layer.APP_SERVER, metric=metric, at=at, value=0.1)


def test_a_map_is_listed_with_what_has_data_and_what_has_no_place(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text("site: here\ncollector: {estate: estate.yaml}\n")
    (tmp_path / "estate.yaml").write_text(MAP)
    seen = [("esx01.example", 1), ("app-test", 60), ("stray", 2)]
    samples = tuple(sample(name, timedelta(minutes=age)) for name, age in seen)
    with opened(load(config).collector) as (store, _):
        store.append(Batch(batch_id="a:1", sender="a", samples=samples))
    answer = RUN.invoke(APP, ["estate", "--config", str(config), "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    assert {one["name"]: one["data"] for one in found["components"]} == {
        "app": "never",
        "app-test": "stale",
        "host": "fresh",
    }
    host = next(one for one in found["components"] if one["name"] == "host")
    assert (host["shared"], host["environments"], host["supplier"]) == (True, ["live", "test"], "hosting")
    assert [one["name"] for one in found["not_in_map"]] == ["stray"]
    plain = RUN.invoke(APP, ["estate", "--config", str(config)])
    assert "not in the map: stray (app_server)" in plain.output


def test_a_map_that_is_wrong_ends_with_its_mistakes(tmp_path: Path) -> None:
    wrong = tmp_path / "estate.yaml"
    wrong.write_text(MAP.replace("on: host}", "on: hst}", 1))
    answer = RUN.invoke(APP, ["estate", "check", str(wrong)])
    assert answer.exit_code != 0
    assert f"{wrong}:5:" in str(answer.exception) + answer.output


def test_the_example_is_right(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(RUN.invoke(APP, ["estate", "example"]).output)
    answer = RUN.invoke(APP, ["estate", "check", str(file), "--json"])
    assert json.loads(answer.output)["components"] == 10


def test_without_a_map_it_says_how_to_give_one(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text("site: here\n")
    answer = RUN.invoke(APP, ["estate", "--config", str(config)])
    assert answer.exit_code == 1
    assert "collector.estate" in answer.output


def test_a_draft_of_what_has_data_is_a_map_that_passes_its_check(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text("site: here\n")
    now = datetime.now(UTC) - timedelta(minutes=1)
    told = [
        ("db-1", Layer.DATABASE, "db.busy"), ("db-1", Layer.STORAGE, "db.wal.sync.latency"),
        ("db-1", Layer.DATABASE, "db.waits.lock"), ("db-1-q0f", Layer.DATABASE, "db.statement.mean"),
        ("7-lun", Layer.STORAGE, "storage.lun.read.latency"), ("ward-3", Layer.ENDPOINT, "endpoint.cpu.utilization"),
    ]  # fmt: skip
    samples = tuple(
        Sample(site="here", component=name, layer=layer, metric=metric, at=now, value=0.1)
        for name, layer, metric in told
    )
    with opened(load(config).collector) as (store, _):
        store.append(Batch(batch_id="a:1", sender="a", samples=samples, runs=(run(1, at=now, endpoint="ward-3"),)))
    file = tmp_path / "estate.yaml"
    file.write_text(RUN.invoke(APP, ["estate", "draft", "--config", str(config)]).output)
    drawn = estate.read(file)
    assert [(one.name, one.layer, one.kind) for one in drawn.components] == [
        ("7-lun", Layer.STORAGE, "lun"), ("db-1", Layer.DATABASE, "database"),
    ]  # fmt: skip
    assert [one.name for one in drawn.endpoints] == ["ward-3"]
    assert "# of it, or components of their own: db-1-q0f" in file.read_text()
    config.write_text("site: here\ncollector: {estate: estate.yaml}\n")
    listed = json.loads(RUN.invoke(APP, ["estate", "--config", str(config), "--json"]).output)
    assert listed["not_in_map"] == []  # a statement of a database is the database's


def test_a_draft_of_nothing_is_a_map_too(tmp_path: Path) -> None:
    config = tmp_path / "whichlayer.yaml"
    config.write_text("site: here\n")
    file = tmp_path / "estate.yaml"
    file.write_text(RUN.invoke(APP, ["estate", "draft", "--config", str(config)]).output)
    assert estate.read(file).sites == ("here",)
