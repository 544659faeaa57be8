"""Mappings: those that are shipped are right, and a wrong row is told with its place."""

from pathlib import Path

import pytest

from collector.mapping import How, load, shipped
from collector.model.catalogue import CATALOGUE
from collector.model.errors import ConfigError


@pytest.mark.parametrize("product", shipped())
def test_what_is_shipped_can_be_read(product: str) -> None:
    (mapping,) = load([product], Path())
    assert mapping.product == product
    assert len({(row.name, row.metric, tuple(row.where.items())) for row in mapping.rows}) == len(mapping.rows)


def test_a_latency_comes_out_in_seconds_whatever_it_was_given_in() -> None:
    products = ("netapp_harvest", "pure_flasharray", "hpe_array", "dell_powerstore")
    rows = [row for mapping in load(products, Path()) for row in mapping.rows if "latency" in row.metric]
    assert {row.factor for row in rows} == {1e-6, 1.0, 1e-3}
    assert {CATALOGUE[row.metric].unit for row in rows} == {"s"}


def test_a_share_of_time_comes_from_seconds_per_second() -> None:
    (mapping,) = load(["node_exporter"], Path())
    shares = [row for row in mapping.rows if row.how is How.RATE and row.unit == "s"]
    assert shares
    assert all(row.factor == 1.0 and CATALOGUE[row.metric].unit == "1" for row in shares)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{name: a, metric: no.such, unit: s}", "not in the catalogue"),
        ("{name: a, metric: storage.lun.read.latency, unit: MB}", "cannot be turned into s: write one of ns, us"),
        ("{name: a, metric: storage.lun.read.latency, unit: s, how: ratio}", "needs per"),
        ("{name: a, metric: system.memory.available, unit: By, how: rate}", "gives no gauge"),
        ("{name: a, metric: storage.lun.read.latency, unit: s, unitt: s}", "not a known key"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(tmp_path: Path, row: str, words: str) -> None:
    (tmp_path / "own.yaml").write_text(f"product: own\ncomponent: [x]\nrows:\n  - {row}\n")
    with pytest.raises(ConfigError, match=words) as caught:
        load(["own.yaml"], tmp_path)
    assert caught.value.mistakes[0].line == 4
