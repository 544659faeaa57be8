"""``whichlayer forget`` and ``replay``: what is gone is gone from every byte, and what is left comes out the same."""

import io
import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from analysis.job import analyse
from analysis.settings import AnalysisSettings
from collector import tables
from collector.model.errors import WhichlayerError
from collector.model.verdict import Verdict
from collector.public import verdict_json
from collector.registry import Registry
from collector.settings import CollectorSettings
from collector.store import Batch, Slice
from dashboards import wording
from tests.contract.test_registry_conclusions import change, verdict
from tests.stores.facts import ended, sample
from tests.worlds.culprits import CULPRITS
from tests.worlds.generator import START, runs, samples
from whichlayer.__main__ import APP
from whichlayer.data import local
from whichlayer.forget import forget
from whichlayer.owner import announced, owning

pytestmark = pytest.mark.integration
WORLD = replace(CULPRITS["the storage under the database is slow"][1], seconds=700.0)
END = START + timedelta(seconds=WORLD.seconds)
EVER = Slice(start=START - timedelta(days=30), end=START + timedelta(days=30))
WORLD_SITE = next(iter(runs(WORLD))).site
CANARY = "zz-maryquitecontrary"

# Does it all, but kills itself where it is told to.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from collector.settings import CollectorSettings
from whichlayer.data import local
from whichlayer.forget import forget

module, name = sys.argv[2].rsplit(".", 1)
setattr(import_module(module), name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
store, registry = local(CollectorSettings(data=Path(sys.argv[1])))
forget(store, registry, Path(sys.argv[1]), sys.argv[3], now=datetime.now(UTC), tell=lambda _: None)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites in the same files: one whose storage is slow, and one whose every name is the canary."""
    folder = tmp_path_factory.mktemp("filled")
    store, registry = local(CollectorSettings(data=folder))
    there = [
        replace(run, site=CANARY, endpoint=f"pc-{CANARY}", facts={"user": CANARY}) for run in list(runs(WORLD))[:40]
    ]
    with closing(store), closing(registry):
        store.append(Batch(batch_id="a:1", sender="a", runs=tuple(runs(WORLD)), samples=tuple(samples(WORLD))))
        more = replace(sample(1.0, START, f"lun-{CANARY}"), site=CANARY, labels={"volume": CANARY})
        less = replace(ended(START), site=CANARY, detail=CANARY)
        store.append(Batch(batch_id="a:2", sender="a", runs=tuple(there), samples=(more,), sessions=(less,)))
        analyse(store, registry, AnalysisSettings(), now=END)
        store.append(Batch(batch_id="a:3", sender="a", samples=(replace(more, at=END),)))
        store.maintain(END + timedelta(days=2))
        registry.put_verdicts([_of_canary()])
        registry.put_standing([_of_canary()])
        registry.add_changes("b", [replace(change("c-1", START), site=CANARY, what=CANARY), change("c-2", START)])
    (folder / "sources").mkdir()
    (folder / "sources" / "citrix-farm.sqlite").write_text(json.dumps({"site": CANARY}))
    assert any("parquet" in name for name in _hits(folder))
    return folder


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "data")


def test_killed_again_and_again_every_byte_goes_and_nothing_else(data: Path) -> None:
    before, (others, bad) = _hits(data), _others(data)
    told = json.loads(_done(data, "forget", "--site", CANARY, "--json").stdout)
    assert (told["removed"], told["rows"]["runs"], told["rows"]["samples"], told["verdicts"]) == (False, 40, 2, 1)
    assert _hits(data) == before
    for place in ("rewrite", "write_catalog_anew"):  # the rows are deleted; the next opening ends what was begun
        child = subprocess.run(
            [sys.executable, "-c", KILLED, str(data), f"collector.stores._forget.{place}", CANARY],
            check=False,
            capture_output=True,
        )
        assert child.returncode == -signal.SIGKILL, child.stderr
        assert _hits(data)
    gone = json.loads(_done(data, "forget", "--site", CANARY, "--yes", "--json").stdout)
    assert (gone["removed"], gone["verdicts"], gone["memories"]) == (True, 1, ["citrix-farm.sqlite"])
    assert _hits(data) == []
    assert _others(data) == (others, bad)
    again = json.loads(_done(data, "replay", bad.id, "--json").stdout)  # of another site, whose facts are all there
    assert again["result"] == "equal"
    assert "holds other facts now" in again["notes"][0]
    assert "evidence removed" in _done(data, "replay", _of_canary().id, code=4).stdout


def test_a_verdict_without_evidence_stays_and_says_so() -> None:
    kept = _of_canary().without_evidence("forgotten-1", END)
    assert CANARY not in str(kept)
    assert (kept.status, kept.excess_seconds) == (_of_canary().status, _of_canary().excess_seconds)
    assert wording.EVIDENCE_REMOVED in wording.sentence(kept)
    assert any("removed on" in remark for remark in wording.quality(kept))
    assert verdict_json(kept)["evidence_removed"].startswith(f"{END:%Y-%m-%d}")


def test_a_verdict_comes_out_equal_and_a_changed_one_does_not(data: Path) -> None:
    store, registry = local(CollectorSettings(data=data))
    with closing(store), closing(registry):
        stored = _bad(registry)
        first, *rest = stored.layers
        wrong = replace(stored, version=stored.version + 1, layers=(replace(first, component="another"), *rest))
        registry.put_verdicts([wrong])
    assert "layers.0.component: another then" in _done(data, "replay", stored.id, code=3).stdout
    right = json.loads(_done(data, "replay", stored.id, "--version", str(stored.version), "--json").stdout)
    assert (right["snapshot"], right["differences"]) == (stored.snapshot, {})


def test_a_running_collector_whose_source_reads_for_the_site_is_not_robbed(data: Path) -> None:
    with owning(data), announced(data, "http://127.0.0.1:1"):
        store, registry = local(CollectorSettings(data=data))
        with closing(store), closing(registry), pytest.raises(WhichlayerError, match=r"collector\.sources"):
            forget(store, registry, data, CANARY, now=datetime.now(UTC), tell=lambda _: None)
    assert _hits(data)


def _done(data: Path, command: str, *more: str, code: int = 0) -> Result:
    config = str(data / "none.yaml")
    done = CliRunner().invoke(APP, [command, "--data", str(data), "--config", config, *more])
    assert done.exit_code == code, done.output
    return done


def _of_canary() -> Verdict:
    plain = verdict(7)
    layers = tuple(replace(layer, component=CANARY) for layer in plain.layers)
    return replace(plain, site=CANARY, data_quality=(f"{CANARY} is late",), layers=layers)


def _bad(registry: Registry) -> Verdict:
    return next(one for one in registry.verdicts(START, END) if one.site == WORLD_SITE)


def _hits(data: Path) -> list[str]:
    """Name the files in which the canary is, also within what is compressed."""
    found = []
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        if path.suffix == ".parquet":
            raw += str(parquet.read_table(io.BytesIO(raw)).to_pydict()).encode()
        if CANARY.encode() in raw:
            found.append(str(path.relative_to(data)))
    return found


def _others(data: Path) -> tuple[dict[str, int], Verdict]:
    """Count what is of others in every table, and give a verdict of theirs."""
    store, registry = local(CollectorSettings(data=data))
    with closing(store), closing(registry):
        counted = {}
        for name in tables.TABLES:
            sites = store.scan(name, EVER, columns=["site"]).column("site").to_pylist()
            counted[name] = sum(site != CANARY for site in sites)
        counted["hours"] = sum(site != CANARY for site in store.hourly(EVER).column("site").to_pylist())
        counted["changes"] = sum(one.site != CANARY for one in registry.changes(EVER.start, EVER.end))
        return counted, _bad(registry)
