"""An application without Server-Timing is told apart by its spans, and the last runs' spans may still be missing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analysis.settings import AnalysisSettings
from analysis.why import why
from collector.model.layer import Layer
from collector.model.run import Phase, Run
from collector.model.verdict import Reference, Verdict
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.memory import MemoryStore
from collector.tables import SERVER_PARTS, naive
from tests.worlds.culprits import SILENT
from tests.worlds.generator import START, WIFI, runs

WORLD = replace(SILENT, populations=[WIFI])
END = START + timedelta(seconds=WORLD.seconds)


def parts(told: Run) -> Iterator[dict[str, Any]]:
    """What the spans of a run say: what its server would have said in a header."""
    for position, step in enumerate(told.steps):
        database, app = step.phases.get(Phase.SERVER_DB, 0.0), step.phases.get(Phase.SERVER_APP, 0.0)
        base = {"at": naive(told.slot), "site": told.site, "run_id": told.run_id, "position": position}
        base |= {"service": "case-app", "nested": False, "storage": 0.0, "external": 0.0, "spans": 2}
        yield base | {"whole": database + app, "database": database}


def slow(folder: Path, *, spans: bool) -> Verdict:
    with closing(MemoryStore()) as store, closing(DatabaseRegistry(f"sqlite:///{folder / 'registry'}")) as registry:
        store.append(Batch(batch_id="a:1", sender="a", runs=tuple(runs(WORLD))))
        told = runs(replace(WORLD, server_timing=True))[:-3]
        if spans:
            rows = pa.Table.from_pylist([row for run in told for row in parts(run)], SERVER_PARTS)
            store.append_table("a:2", "a", "server_parts", rows)
        settings, against = AnalysisSettings(seasonal=False), Reference.EXPECTED
        found = why(store, registry, settings, start=END - timedelta(minutes=2), end=END, against=against, now=END)
        return next(verdict for verdict in found if verdict.step == "search")


def test_spans_alone_name_what_could_not_be_told_without(tmp_path: Path) -> None:
    rules = {entry.rule for layer in slow(tmp_path, spans=False).layers for entry in layer.evidence_for}
    assert "phases.unsplit" in rules
    verdict = slow(tmp_path, spans=True)
    rules = {entry.rule for layer in verdict.layers for entry in layer.evidence_for}
    assert "phases.server_db" in rules
    assert "phases.unsplit" not in rules
    named = {layer.layer for layer in verdict.blamed} | {one for group in verdict.inseparable for one in group}
    assert named == {Layer.DATABASE, Layer.STORAGE}, "no sample tells which of the two"
    assert verdict.unexplained is not None
    assert verdict.unexplained.share == pytest.approx(0.0, abs=0.1)
