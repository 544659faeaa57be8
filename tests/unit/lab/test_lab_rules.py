"""What a set of firing alerts says: the layer, and how soon."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.rules.configuration import scaled
from deploy.lab.rules.judge import Alert, Said, answered, judged
from deploy.lab.trials.judging import Truth

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


WIFI, STORAGE = Truth(Layer.ACCESS_NETWORK, Link.WIFI), Truth(Layer.STORAGE)


def said(*truths: Truth, latest: float = 0.0) -> Said:
    alerts = [alert("access_network", 10, access="wifi"), alert("storage", 40)]
    return judged(answered(alerts, START, together=10), truths, latest=latest)


def test_where_one_is_to_blame_the_first_answer_counts_for_its_access() -> None:
    assert said(WIFI).right
    assert said(WIFI).seconds == 10
    wired = said(Truth(Layer.ACCESS_NETWORK, Link.WIRED))
    assert (wired.right, wired.refused, wired.strangers, wired.seconds) == (False, False, ("access_network",), None)
    late = said(STORAGE)
    assert (late.right, late.strangers, late.seconds) == (False, ("access_network",), 40)


def test_where_several_or_nobody_are_to_blame_every_answer_counts() -> None:
    assert said(WIFI, STORAGE).right
    assert said(WIFI, STORAGE, latest=30).seconds == 10
    one = said(WIFI, Truth(Layer.DATABASE))
    assert (one.right, one.named, one.strangers, one.seconds) == (False, frozenset({WIFI}), ("storage",), None)
    assert said().strangers == ("access_network", "storage")
    assert not said().right


def test_no_answer_is_right_only_where_nobody_is_to_blame() -> None:
    assert judged([], []).right
    silent = judged([], [STORAGE])
    assert (silent.right, silent.refused, silent.strangers) == (False, True, ())


def test_durations_are_scaled_and_nothing_else() -> None:
    assert scaled("rate(x[20s]) > 0.05 offset 60s  # p99, 5 s", 12) == "rate(x[240s]) > 0.05 offset 720s  # p99, 5 s"
    assert scaled("for: 10s", 0.4) == "for: 4s"
    assert scaled("for: 1s", 0.1) == "for: 1s"
