"""Verdicts as metrics: promtool objects to nothing, what is stale or unknown is absent, the rules of the docs load."""

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from collector.app import create
from collector.model.verdict import Verdict
from collector.registries.database import DatabaseRegistry
from collector.settings import CollectorSettings
from collector.stores.memory import MemoryStore
from tests.browser.scene import NOW, slow, verdicts

pytestmark = pytest.mark.integration
DOCS = Path(__file__).parents[2] / "docs" / "collector.md"


def scraped(folder: Path, *standing: Verdict) -> str:
    store, registry = MemoryStore(), DatabaseRegistry(f"sqlite:///{folder / 'registry.sqlite'}")
    registry.put_standing(standing)
    app = create(store=store, registry=registry, settings=CollectorSettings(), clock=lambda: NOW)
    with TestClient(app, base_url="http://127.0.0.1:8620", client=("127.0.0.1", 50000)) as client:
        text = client.get("/metrics").text
    registry.close()
    store.close()
    return text


def values(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Give the samples of one metric by their labels beyond those of the step."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"whichlayer_verdict_{name}":
                more = [sample.labels[label] for label in ("layer", "state", "bound") if label in sample.labels]
                found[tuple(more)] = sample.value
    return found


def test_a_slow_step_is_said_with_its_excess_and_the_layers_that_are_blamed(tmp_path: Path) -> None:
    verdict = replace(slow(), reached_at=NOW - timedelta(minutes=1))
    text = scraped(tmp_path, verdict)
    states = {"failing": 0.0, "slow": 1.0, "normal": 0.0, "not_enough_evidence": 0.0}
    assert values(text, "status") == {(state,): value for state, value in states.items()}
    assert verdict.excess_seconds is not None
    assert values(text, "excess_seconds")["low",] == verdict.excess_seconds.low
    assert values(text, "excess_failures_ratio") == {}
    blamed = {str(layer.layer) for layer in verdict.blamed}
    assert {layer for layer, _ in values(text, "layer_share_ratio")} == blamed != set()
    assert values(text, "concluded_timestamp_seconds")[()] == verdict.reached_at.timestamp()


def test_what_nobody_concludes_any_more_has_its_time_and_nothing_else(tmp_path: Path) -> None:
    text = scraped(tmp_path, replace(slow(), reached_at=NOW - timedelta(minutes=16)))
    assert len(values(text, "concluded_timestamp_seconds")) == 1
    for name in ("status", "excess_seconds", "layer_share_ratio", "unexplained_ratio"):
        assert values(text, name) == {}


def test_promtool_has_nothing_to_object_to_and_takes_the_rules_of_the_docs(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: it comes with prometheus")
    text = scraped(tmp_path, *(replace(verdict, reached_at=NOW) for verdict in verdicts()))
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    said = checked.stdout + checked.stderr
    assert [line for line in said.splitlines() if "verdict" in line or "error" in line.lower()] == []
    rules = re.search(r"```yaml\n(groups:.*?)```", DOCS.read_text(), re.DOTALL)
    assert rules is not None
    file = tmp_path / "rules.yaml"
    file.write_text(rules[1])
    subprocess.run(["promtool", "check", "rules", str(file)], check=True, capture_output=True)
