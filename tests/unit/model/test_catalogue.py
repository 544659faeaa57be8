"""One vocabulary: every metric in SI units, of a kind, with a limit that says whose it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model.catalogue import CATALOGUE
from collector.model.metric import Direction
from collector.model.unit import convert, factor, known

SI = {"s", "1", "By", "By/s", "bit/s", "1/s", "dBm"}


def test_every_metric_is_in_si_units_or_counts_a_thing() -> None:
    assert [m.name for m in CATALOGUE.values() if m.unit not in SI and not m.unit.startswith("{")] == []


def test_only_what_has_a_worse_side_has_a_shift_that_counts() -> None:
    assert [m.name for m in CATALOGUE.values() if m.direction is not Direction.NEUTRAL and m.minimum_shift <= 0] == []


def test_the_four_unit_systems_of_a_lun_come_out_as_seconds() -> None:
    harvest, pure, hpe, dell = convert(2500, "us", "s"), convert(2500, "µs", "s"), convert(0.0025, "s", "s"), 2.5
    assert {round(value, 9) for value in (harvest, pure, hpe, convert(dell, "ms", "s"))} == {0.0025}


@pytest.mark.parametrize(
    ("written", "unit"), [("ms", "By"), ("furlong", "s"), ("MB", "MB/s"), ("%", "s"), ("{session}", "{statement}")]
)
def test_another_quantity_is_refused_with_what_could_be_written(written: str, unit: str) -> None:
    with pytest.raises(ValueError, match="write one of"):
        convert(1.0, written, unit)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_a_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="value"):
        convert(value, "ms", "s")


@given(st.floats(min_value=1e-6, max_value=1e9), st.sampled_from(known()))
def test_conversion_keeps_order_and_scale(value: float, written: str) -> None:
    units = [metric.unit for metric in CATALOGUE.values()]
    unit = next(unit for unit in [*units, "bit/s"] if _fits(written, unit))
    assert convert(2 * value, written, unit) == pytest.approx(2 * convert(value, written, unit))
    assert convert(value, written, unit) > 0


def _fits(written: str, unit: str) -> bool:
    try:
        return factor(written, unit) > 0
    except ValueError:
        return False
