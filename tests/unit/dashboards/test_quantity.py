"""Numbers keep about two digits and their unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import quantity


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 ms"),
        (0.00042, "0.4 ms"),
        (0.0042, "4.2 ms"),
        (0.042, "42 ms"),
        (0.42, "0.42 s"),
        (4.2, "4.2 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (200, "3 min 20 s"),
        (180, "3 min"),
        (9000, "2.5 h"),
        (-4.2, "-4.2 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert quantity.seconds(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (3.9, 4.5, "3.9 to 4.5 s"),
        (0.08, 1.2, "80 ms to 1.2 s"),
        (4.21, 4.22, "4.2 s"),
        (130, 150, "2 min 10 s to 2 min 30 s"),
    ],
)
def test_ranges(low: float, high: float, text: str) -> None:
    assert quantity.seconds_range(low, high) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0 %"), (0.004, "< 1 %"), (0.78, "78 %"), (0.996, "> 99 %"), (1.0, "100 %")]
)
def test_almost_nothing_and_almost_all_are_not_called_so(value: float, text: str) -> None:
    assert quantity.percent(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.97, "1", "97 %"),
        (0.012, "1", "1.2 %"),
        (8.4e9, "By", "8.4 GB"),
        (999, "By", "999 B"),
        (1.2e6, "By/s", "1.2 MB/s"),
        (9.8, "1/s", "9.8 per s"),
        (0.00049, "1/s", "0.00049 per s"),
        (-71, "dBm", "-71 dBm"),
        (54e6, "bit/s", "54 Mbit/s"),
        (6.5e6, "bit/s", "6.5 Mbit/s"),
        (1.0, "{statement}", "1 statement"),
        (2.5, "{statement}", "2.5 statements"),
        (12, None, "12"),
    ],
)
def test_units(value: float, unit: str | None, text: str) -> None:
    assert quantity.with_unit(value, unit) == text


@pytest.mark.parametrize(
    ("age", "text"), [(0.2, "just now"), (12, "12 s ago"), (300, "5 min ago"), (7200, "2 h ago"), (4e5, "5 days ago")]
)
def test_ages(age: float, text: str) -> None:
    assert quantity.ago(age) == text


@given(st.floats(min_value=0.001, max_value=100))
def test_what_is_printed_is_near_what_was_measured(value: float) -> None:
    number, unit = quantity.seconds(value).split(" ")
    assert float(number) * {"ms": 0.001, "s": 1.0}[unit] == pytest.approx(value, rel=0.06)
