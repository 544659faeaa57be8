"""Times and durations as jobs write them."""

from datetime import UTC, datetime

import httpx2
import pytest

from collector.model.run import Outcome
from probes.drivers.http.failure import StepEnded
from probes.drivers.http.page import Page
from probes.drivers.link.delivery import Delivery, delivery
from probes.journey.link import Report

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def found(body: str, **said: object) -> Delivery:
    report = Report.model_validate({"file": "x", "oldest": "1 d", "finished": {"regex": "end=(.*)"}, **said})
    page = Page(url=httpx2.URL("file:"), status=200, headers=httpx2.Headers(), body=body.encode(), charset="utf-8")
    return delivery(report, page, str, size=1, now=NOW)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-07-01T11:00:00Z", {}),
        ("2026-07-01 11:00:00", {}),
        ("2026-07-01T12:00:00+01:00", {}),
        ("2026-07-01T12:00:00", {"zone": "Europe/London"}),
        ("Wed, 01 Jul 2026 11:00:00 GMT", {}),
        ("1782903600", {}),
        ("1782903600.0", {}),
        ("01.07.2026 13 Uhr", {"zone": "Europe/Berlin", "time_format": "%d.%m.%Y %H Uhr"}),
    ],
)
def test_times(written: str, said: dict[str, str]) -> None:
    assert found(f"end={written}\n", **said).age_seconds == 3600.0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("754", 754.0), ("12.5", 12.5), ("12 min", 720.0), ("00:12:34", 754.0), ("26:00:00", 93600.0),
     ("PT12M34S", 754.0), ("P1DT1H", 90000.0), ("PT0.5S", 0.5)],
)  # fmt: skip
def test_durations(written: str, seconds: float) -> None:
    end = "end=2026-07-01T11:00:00Z\n"
    assert found(f"{end}took={written}\n", took={"regex": "took=(.*)"}).took_seconds == seconds


@pytest.mark.parametrize(
    ("body", "said", "words"),
    [
        ("nothing", {}, "finished is not there"),
        ("end=soon", {}, "finished is not a time"),
        ("end=01/07/26", {"time_format": "%Y"}, "finished is not a time"),
        ("end=2026-07-01T11:00:00Z\ntook=long", {"took": {"regex": "took=(.*)"}}, "took cannot be read"),
        ("end=2026-07-01T11:00:00Z\ntook=-1", {"took": {"regex": "took=(.*)"}}, "took cannot be read"),
        ("end=2026-07-01T11:00:00Z\ntook=nan", {"took": {"regex": "took=(.*)"}}, "took cannot be read"),
        ("end=2026-07-01T11:00:00Z", {"size": {"regex": "size=(.*)"}}, "size is not there"),
        ("end=2026-07-01T11:00:00Z\nsize=inf", {"size": {"regex": "size=(.*)"}}, "size cannot be read"),
        ("end=2026-07-01T11:00:00Z\nbegan=2026-07-02T00:00:00Z", {"started": {"regex": "began=(.*)"}}, "lies before"),
    ],
)
def test_what_cannot_be_read_is_the_journeys_mistake(body: str, said: dict[str, object], words: str) -> None:
    with pytest.raises(StepEnded, match=words) as ended:
        found(body, **said)
    assert (ended.value.outcome, ended.value.kind) == (Outcome.BROKEN, "capture")
