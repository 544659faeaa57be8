"""Numbers in the sentences of evidence carry the unit of the catalogue, as people say it."""

import pytest

from analysis.units import quantity
from collector.model.catalogue import CATALOGUE


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (4.2, "s", "4.2 s"),
        (0.123, "%", "12.3 %"),
        (2.5e6, "By/s", "2.5 MB/s"),
        (10200.0, "1/s", "1.02e+04 per second"),
        (1.0, "{statement}", "1 statement"),
        (0.0, "{statement}", "0 statements"),
        (-71.0, "dBm", "-71 dBm"),
        (54e6, "bit/s", "54 Mbit/s"),
    ],
)
def test_a_number_with_its_unit(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_no_unit_of_the_catalogue_is_shown_in_braces() -> None:
    assert [metric.name for metric in CATALOGUE.values() if "{" in quantity(2.0, metric.unit)] == []
