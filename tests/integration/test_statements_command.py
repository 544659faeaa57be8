"""`whichlayer statements`: what a verdict names by a hash has a text, without its values."""

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


def told(kind: str, said: str, at: datetime, mean: float, busy: float) -> list[Sample]:
    values = {"db.statement.mean": mean, "db.statement.busy": busy}
    return [
        Sample(
            site="s", component=f"db-1-{kind}", layer=Layer.DATABASE, metric=metric, at=at, value=value,
            period_seconds=10.0, labels={"statement": said},
        )
        for metric, value in values.items()
    ]  # fmt: skip


def test_kinds_of_statements_are_listed_costliest_first(tmp_path: Path) -> None:
    config, now = tmp_path / "whichlayer.yaml", datetime.now(UTC) - timedelta(minutes=5)
    config.write_text("site: s\n")
    samples = [
        *told("q1", "SELECT ?", now, 0.01, 0.1),
        *told("q2", "UPDATE cases SET note = ?", now, 0.1, 0.2),
        *told("q2", "UPDATE cases SET note = ?", now + timedelta(seconds=10), 0.4, 0.8),
    ]
    with opened(load(config).collector) as (store, _):
        store.append(Batch(batch_id="a:1", sender="a", samples=tuple(samples)))
    asked = ["statements", "--config", str(config)]
    found = json.loads(CliRunner().invoke(APP, [*asked, "--json"]).output)
    assert [(one["component"], one["shape"]) for one in found] == [
        ("db-1-q2", "UPDATE cases SET note = ?"),
        ("db-1-q1", "SELECT ?"),
    ]
    first = {name: found[0][name] for name in ("calls", "seconds", "mean_seconds", "slowest_seconds")}
    assert first == pytest.approx({"calls": 40, "seconds": 10, "mean_seconds": 0.25, "slowest_seconds": 0.4})
    plain = CliRunner().invoke(APP, [*asked, "--component", "db-1-q1"]).output
    assert "SELECT ?" in plain
    assert "UPDATE" not in plain
    none = CliRunner().invoke(APP, [*asked, "--component", "db-2"]).output
    assert "says what they need" in " ".join(none.split())
