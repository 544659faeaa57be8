"""What an exported folder says of its columns, and how texts and times look in CSV."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from collector import tables
from collector.model.catalogue import CATALOGUE
from collector.registries.database import DatabaseRegistry
from tests.contract.test_registry_conclusions import NOW, verdict
from whichlayer.export import as_text
from whichlayer.export_page import MEANINGS, unit
from whichlayer.export_records import halved


@pytest.mark.parametrize("name", tables.TABLES)
def test_every_column_has_a_meaning_and_every_measured_number_a_unit(name: str) -> None:
    schema = tables.schema(name)
    assert [column.name for column in schema if not MEANINGS.get(column.name)] == []
    assert [column.name for column in schema if pa.types.is_floating(column.type) and unit(column) is None] == []
    assert unit(schema.field(tables.TIME_COLUMN[name])) == "UTC"


def test_every_metric_has_a_unit() -> None:
    assert all(isinstance(metric.unit, str) for metric in CATALOGUE.values())


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "'", "\t", "\r", "\n"])
def test_no_text_begins_as_a_formula_and_one_apostrophe_undoes_it(sign: str) -> None:
    texts = [f"{sign}1+2", f"a{sign}b", "", None, sign]
    written = as_text(pa.table({"error": pa.array(texts, pa.string())})).column("error").to_pylist()
    assert written == [f"'{sign}1+2", f"a{sign}b", "", None, f"'{sign}"]


def test_numbers_keep_their_sign_and_times_say_their_zone() -> None:
    at = datetime(2026, 11, 2, 8, 0, 1, 250)  # noqa: DTZ001  as the store keeps it
    rows = as_text(pa.table({"value": [-1.5], "at": pa.array([at], pa.timestamp("us"))}))
    assert rows.to_pylist() == [{"value": -1.5, "at": "2026-11-02T08:00:01.000250Z"}]


def test_more_verdicts_than_one_answer_may_hold_are_all_given(tmp_path: Path) -> None:
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    hours = [NOW + timedelta(hours=number // 3) for number in range(30)]  # three at a time, two in an answer
    registry.put_verdicts([verdict(n, start=at, end=at + timedelta(minutes=30)) for n, at in enumerate(hours)])
    found = halved(
        lambda start, end, limit: registry.verdicts(start, end, limit=limit),
        NOW - timedelta(days=30_000), NOW + timedelta(days=30_000), 2,
    )  # fmt: skip
    assert {one.id for one in found} == {verdict(n).id for n in range(30)}
    registry.close()
