"""``whichlayer export``: what is in the folder is what the store gives, or there is no folder."""

import glob
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from typer.testing import CliRunner

from collector import tables
from collector.model.errors import WhichlayerError
from collector.model.run import Outcome, StepTiming
from collector.registry import Registry, Scope
from collector.settings import CollectorSettings
from collector.store import Batch, Store
from tests.contract.test_registry_conclusions import change, verdict
from tests.doors.owner import configuration, owner
from tests.stores.facts import EVER, HOUR, T0, batch, ended, read_back, run, sample, step
from whichlayer import export
from whichlayer.__main__ import APP
from whichlayer.data import local

pytestmark = pytest.mark.integration

_CSV = export.Format.CSV
Opened = tuple[Store, Registry]


def filled(store: Store, registry: Registry) -> None:
    """Put in rows of two months, a text that is a formula, one that is empty, and nothing."""
    bad = [StepTiming(step="save", outcome=Outcome.FAILED, error_kind="e", error=text) for text in _TEXTS]
    runs = [run(number, step(), bad[number % len(bad)], at=T0 + number * 7 * 24 * HOUR) for number in range(6)]
    runs.append(replace(run(9), site="south"))
    samples = tuple(sample(-number / 3, T0 + number * HOUR) for number in range(12))
    store.append(batch(1, *runs, samples=samples))
    store.append(Batch(batch_id="a:2", sender="a", sessions=(ended(), read_back())))
    registry.add_changes("b", [change("c-1", T0)])
    registry.put_verdicts([verdict()])


_TEXTS = ("=cmd|'/c calc'!A1", "", None, 'two\nlines, "quoted"', "'quoted'")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    store, registry = local(CollectorSettings(data=tmp_path))
    with closing(store), closing(registry):
        filled(store, registry)
        yield store, registry


def write(opened: Opened, folder: Path, tell: export.Tell = lambda *_: None, **wanted: Any) -> export.Exported:
    return export.write(*opened, folder, export.Wanted(**wanted), now=T0, tell=tell)


def read(folder: Path, name: str, kind: export.Format) -> pa.Table:
    """Read a table back with Arrow, without our own code's help but for the one apostrophe."""
    zoned = export.with_zone(tables.schema(name))
    files = sorted((folder / name).glob(f"*.{kind}"))
    if kind is export.Format.PARQUET:
        return pa.concat_tables([parquet.read_table(file) for file in files])
    options = csv.ConvertOptions(column_types=zoned, strings_can_be_null=True, quoted_strings_can_be_null=False)
    lines = csv.ParseOptions(newlines_in_values=True)
    rows = pa.concat_tables([csv.read_csv(file, convert_options=options, parse_options=lines) for file in files])
    for place, column in enumerate(zoned):
        if pa.types.is_string(column.type):
            texts = [_undone(text) for text in rows.column(place).to_pylist()]
            rows = rows.set_column(place, column, pa.chunked_array([texts], pa.string()))
    return rows


def _undone(text: str | None) -> str | None:
    return text[1:] if text and text[0] == "'" and text[1] in "=+-@'\t\r\n" else text


@pytest.mark.parametrize("kind", export.Format)
@pytest.mark.parametrize("at_once", [3, 500_000])
def test_every_column_of_every_table_comes_back(
    opened: Opened, tmp_path: Path, kind: export.Format, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_ROWS_AT_ONCE", at_once)
    done = write(opened, tmp_path / "out", format=kind)
    assert {name: part.rows for name, part in done.parts.items() if part.rows} == {
        "runs": 7, "steps": 13, "samples": 12, "sessions": 2, "changes": 1, "verdicts": 1
    }  # fmt: skip
    assert len(done.parts["steps"].files) == 2
    for name in ("runs", "steps", "samples", "sessions"):
        stored = opened[0].scan(name, EVER, snapshot=done.snapshot)
        written = read(tmp_path / "out", name, kind)
        for column in stored.column_names:
            asked = stored.column(column).cast(written.column(column).type).to_pylist()
            assert written.column(column).to_pylist() == asked, (name, column)


@pytest.mark.parametrize("kind", export.Format)
def test_the_queries_of_the_readme_work(
    opened: Opened, tmp_path: Path, kind: export.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = write(opened, tmp_path / "out", format=kind, split=export.Split.DAY)
    monkeypatch.chdir(tmp_path / "out")
    lines = Path("README.txt").read_text(encoding="utf-8").splitlines()
    rows = [part.rows for part in done.parts.values() if part.rows]
    queries = [line.removeprefix("DuckDB  ") for line in lines if line.startswith("DuckDB  ")]
    with duckdb.connect() as connection:
        assert [len(connection.execute(query).fetchall()) for query in queries] == rows
    frames = [line.removeprefix("pandas  ") for line in lines if line.startswith("pandas  ")]
    assert [len(eval(frame, {"pandas": pd, "glob": glob})) for frame in frames] == rows
    described = json.loads(Path("schema.json").read_text(encoding="utf-8"))
    assert (described["snapshot"], described["start"]) == (done.snapshot, None)
    assert [one["name"] for one in described["columns"]["steps"]] == tables.STEPS.names
    assert described["metrics"]["storage.write.latency"]["unit"] == "s"


def test_period_site_and_tables_are_chosen(opened: Opened, tmp_path: Path) -> None:
    done = write(
        opened, tmp_path / "out", start=T0, end=T0 + 8 * 24 * HOUR, sites=["north"], parts=["runs", "verdicts"]
    )
    assert {name: part.rows for name, part in done.parts.items()} == {"runs": 2, "verdicts": 0}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.txt", "runs", "schema.json"]


def test_what_arrives_meanwhile_is_in_no_table(opened: Opened, tmp_path: Path) -> None:
    def tell(what: str, rows: int) -> None:
        opened[0].append(batch(int(hashlib.sha256(what.encode()).hexdigest()[:8], 16) + rows, run(50, at=T0 + HOUR)))
        if what.startswith("runs"):
            opened[0].maintain(T0 + timedelta(days=60))  # all that nobody pinned is let go of

    done = write(opened, tmp_path / "out", tell)
    assert (done.parts["runs"].rows, done.parts["steps"].rows) == (7, 13)
    assert opened[0].scan("runs", EVER).num_rows > 7


@pytest.mark.parametrize("failure", [KeyboardInterrupt, WhichlayerError, OSError])
def test_an_export_that_does_not_end_leaves_nothing(
    opened: Opened, tmp_path: Path, failure: type[BaseException]
) -> None:
    seen = []

    def tell(what: str, _rows: int) -> None:
        seen.append(sorted(path.name for path in tmp_path.glob("out*")))
        if what.startswith("samples"):
            raise failure("in the middle")

    with pytest.raises(KeyboardInterrupt if failure is KeyboardInterrupt else WhichlayerError):
        write(opened, tmp_path / "out", tell)
    assert seen[0] == ["out.partial"]
    assert list(tmp_path.glob("out*")) == []


def test_a_folder_in_use_is_refused_and_an_empty_one_taken(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(opened, tmp_path / "out")
    with pytest.raises(WhichlayerError, match="not an empty folder"):
        write(opened, tmp_path / "out")
    (tmp_path / "new.partial").mkdir()
    with pytest.raises(WhichlayerError, match="another export"):
        write(opened, tmp_path / "new")
    assert (tmp_path / "new.partial").exists()


def test_no_secret_of_the_registry_is_in_any_file(opened: Opened, tmp_path: Path) -> None:
    registry = opened[1]
    invited = registry.invite("canary-desk", scope=Scope.AGENT, now=T0)
    given = registry.enrol(registry.invite("canary-desk", scope=Scope.AGENT, now=T0), now=T0)
    assert given is not None
    registry.lease("canary-account", holder="canary-holder", until=T0 + HOUR, now=T0)
    write(opened, tmp_path / "out", format=export.Format.CSV)
    content = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"case-record" in content
    for secret in (invited, given.token, given.agent_id, *map(_digest, (invited, given.token)), "canary"):
        assert secret.encode() not in content


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def test_beside_a_running_owner_and_without_one_it_is_the_same(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    (tmp_path / "data").mkdir()
    store, registry = local(CollectorSettings(data=tmp_path / "data"))
    filled(store, registry)
    store.close()
    registry.close()
    said = {}
    with owner(config) as running:
        running.ready()
        said["beside"] = command(config, tmp_path / "beside")
        token = running.token()
        running.stop()
    said["alone"] = command(config, tmp_path / "alone")
    assert said["beside"]["parts"]["steps"] == said["alone"]["parts"]["steps"]
    for name in ("steps", "samples"):
        assert read(tmp_path / "beside", name, _CSV).equals(read(tmp_path / "alone", name, _CSV))
    content = b"".join(path.read_bytes() for path in (tmp_path / "beside").rglob("*") if path.is_file())
    assert token.encode() not in content
    assert str(said["beside"]["snapshot"]) in (tmp_path / "data" / "lake" / "pins").read_text().split()
    wrong = CliRunner().invoke(APP, ["export", str(tmp_path / "x"), "--config", str(config), "--tables", "tokens"])
    assert wrong.exit_code == 2
    assert not (tmp_path / "x").exists()


def command(config: Path, folder: Path) -> dict[str, Any]:
    words = ["export", str(folder), "--config", str(config), "--format", "csv", "--json"]
    done = CliRunner().invoke(APP, words)
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
