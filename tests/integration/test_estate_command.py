"""`whichlayer estate`: a map is checked, and listed beside what has data."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.model.layer import Layer
from collector.model.sample import Sample
from collector.store import Batch
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
