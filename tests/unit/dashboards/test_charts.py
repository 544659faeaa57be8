"""Positions, axes and parts: what a chart shows is where it should be."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model.verdict import Interval
from dashboards.clock import Clock
from dashboards.facts.around import Point, Stack, parts
from dashboards.web import drawing
from dashboards.web.charts import PLOT, TOP, Frame, Scale, scale

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FRAME = Frame(start=START, end=START + timedelta(hours=2), clock=Clock(zone=ZoneInfo("Europe/London")))


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False), min_size=1, max_size=20))
def test_every_value_is_inside_the_axis(values: list[float]) -> None:
    ruler, labels = scale(values)
    unseen = (ruler.top - ruler.bottom) * 1e-6  # far below a pixel
    assert ruler.bottom <= min(0.0, *values) + unseen
    assert ruler.top >= max(values) - unseen
    assert all(TOP <= ruler.y(value) <= TOP + PLOT for value in values)
    assert 2 <= len(labels) <= 6


def test_time_runs_from_left_to_right() -> None:
    assert FRAME.x(START) == 0
    assert FRAME.x(START + timedelta(hours=1)) == 50
    assert FRAME.x(START + timedelta(hours=9)) == 100
    assert [tick.label for tick in FRAME.x_ticks] == ["09:00", "09:30", "10:00", "10:30", "11:00"]
    assert [tick.anchor for tick in FRAME.x_ticks] == ["start", "middle", "middle", "middle", "end"]


def test_ticks_are_local() -> None:
    summer = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    frame = Frame(start=summer, end=summer + timedelta(hours=2), clock=Clock(zone=ZoneInfo("Europe/London")))
    assert frame.x_ticks[0].label == "10:00"


def test_a_timeout_is_an_arrow_and_at_least() -> None:
    points = [
        Point(at=START, seconds=0.4, outcome="ok"),
        Point(at=START, seconds=5.0, outcome="timeout"),
        Point(at=START, seconds=None, outcome="failed"),
        Point(at=START, seconds=0.9, outcome="slow"),
        Point(at=START, seconds=None, outcome="broken"),
    ]
    expected = Interval(estimate=0.4, low=0.3, high=0.5)
    axis = drawing.duration_axis([points], expected)
    chart = drawing.durations(("k", "WiFi", "/x.csv"), points, FRAME, axis=axis, expected=expected)
    assert [mark.shape for mark in chart.marks] == ["dot", "limit", "bad", "over", "void"]
    assert "at least 5.0 s" in chart.marks[1].tip
    assert [row[1][0] for row in chart.table.rows] == ["0.40 s", "≥ 5.0 s", "not timed", "0.90 s", "not timed"]
    assert "1 reached the time limit" in chart.summary
    assert "1 failed" in chart.summary
    assert "1 said nothing of the service" in chart.summary
    assert "measured 0.40 to 0.90 s" in chart.summary
    start = START.timestamp()
    assert chart.explore["data"] == [[start, start, start], [0.4, None, 0.9], [None, 5.0, None]]
    assert chart.band is not None
    assert chart.band.y == Scale(top=axis[0].top).y(0.5)


def test_the_servers_account_lies_inside_the_wait_and_absent_is_not_zero() -> None:
    cut = parts({"seconds": 1.0, "connect": 0.1, "processing": 0.8, "server_app": 0.5, "server_db": 0.2, "tls": None})
    assert cut == pytest.approx({"connect": 0.1, "processing": 0.1, "server_app": 0.5, "server_db": 0.2, "rest": 0.1})
    assert parts({"seconds": None}) == {}


def test_a_gap_in_the_data_stays_a_gap_in_the_stack() -> None:
    stacks = [
        Stack(at=START, until=START + timedelta(minutes=5), parts={"processing": 0.5, "transfer": 0.1}, runs=5),
        Stack(
            at=START + timedelta(hours=1),
            until=START + timedelta(minutes=65),
            parts={"processing": 0.5},
            runs=5,
        ),
    ]
    chart = drawing.phases("p", "Phases", stacks, FRAME)
    assert chart is not None
    assert [area.name for area in chart.areas] == ["processing", "transfer"]
    assert chart.areas[0].path.count("M") == 2
    assert chart.table.rows[1][1] == ["5", "0.50 s", "absent"]
    assert drawing.phases("p", "Phases", [], FRAME) is None
