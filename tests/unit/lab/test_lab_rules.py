"""What a set of firing alerts says: the layer, and how soon."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.lab.rules.configuration import scaled
from deploy.lab.rules.judge import Alert, answered, right, seconds_until

START = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)


def alert(layer: str, *seconds: float, severity: str = "critical", access: str | None = None) -> Alert:
    fired = tuple(START + timedelta(seconds=at) for at in seconds)
    return Alert(name=f"{layer} bad", layer=layer, severity=severity, access=access, fired=fired)


LIKELY = alert("application", 15, severity="warning")


def layers(*alerts: Alert, until: float | None = None) -> list[tuple[str, float]]:
    end = None if until is None else START + timedelta(seconds=until)
    return [(one.layer, one.seconds) for one in answered(alerts, START, end, together=10)]


def test_nothing_that_fires_is_no_answer() -> None:
    assert layers() == []
    assert layers(alert("storage", -10, -5)) == []
    assert layers(alert("storage", 30), until=30) == []


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ([alert("database", 20), alert("storage", 15)], [("storage", 15.0), ("database", 20.0)]),
        ([LIKELY, alert("storage", 25)], [("storage", 25.0), ("application", 15.0)]),
        ([LIKELY, alert("storage", 26)], [("application", 15.0), ("storage", 26.0)]),
        ([alert("database", 15), alert("storage", -5, 0)], [("storage", 0.0), ("database", 15.0)]),
    ],
    ids=["the first", "the more severe of one notification", "not what comes after it", "what fired all along"],
)  # fmt: skip
def test_what_is_said_first(alerts: list[Alert], said: list[tuple[str, float]]) -> None:
    assert layers(*alerts) == said
    assert layers(*reversed(alerts)) == said


def test_right_is_the_first_answer_for_the_access_it_is_true_of() -> None:
    said = answered([alert("access_network", 10, access="wifi"), alert("storage", 40)], START, together=10)
    assert right(said, "access_network", "wifi")
    assert not right(said, "access_network", "wired")
    assert not right(said, "storage")
    assert seconds_until(said, "storage") == 40
    assert seconds_until(said, "database") is None
    assert right([], None)
    assert not right(said, None)
    assert not right([], "storage")


def test_durations_are_scaled_and_nothing_else() -> None:
    assert scaled("rate(x[20s]) > 0.05 offset 60s  # p99, 5 s", 12) == "rate(x[240s]) > 0.05 offset 720s  # p99, 5 s"
    assert scaled("for: 10s", 0.4) == "for: 4s"
    assert scaled("for: 1s", 0.1) == "for: 1s"
