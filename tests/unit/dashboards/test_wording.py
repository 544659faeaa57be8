"""The sentences people read: golden, word for word."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase
from collector.model.verdict import (
    Evidence,
    Interval,
    LayerState,
    LayerVerdict,
    Reference,
    Rung,
    Share,
    Status,
    Verdict,
)
from dashboards import wording
from dashboards.clock import Clock

LONDON = Clock(zone=ZoneInfo("Europe/London"))
NOW = datetime(2026, 7, 23, 10, 0, tzinfo=UTC)  # summer: 11:00 in London
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
CITRIX = Population(link=Link.WIRED, presentation=Presentation.CITRIX)


def blamed(layer: Layer, share: float, low: float, high: float, component: str | None = None) -> LayerVerdict:
    return LayerVerdict(layer=layer, component=component, state=LayerState.BLAMED, share=share, low=low, high=high)


def cleared(layer: Layer) -> LayerVerdict:
    return LayerVerdict(layer=layer, component=None, state=LayerState.CLEARED, share=0.0, low=0.0, high=0.03)


def verdict(**changes: Any) -> Verdict:
    fields: dict[str, Any] = {
        "id": "v1",
        "site": "town",
        "status": Status.SLOW,
        "against": Reference.EXPECTED,
        "rung": Rung.POOLED,
        "journey": "case-record",
        "step": "save",
        "population": WIFI,
        "start": NOW - timedelta(minutes=18),
        "end": NOW,
        "open": True,
        "runs": 42,
        "excess_seconds": Interval(estimate=4.2, low=3.9, high=4.5),
        "layers": (blamed(Layer.ACCESS_NETWORK, 0.78, 0.7, 0.85),),
        "counting_rules": "1",
        "snapshot": 1,
        "digest": "d",
        "reached_at": NOW,
    }
    return Verdict(**fields | changes)


CAUSE = " Most of it (70 to 85 %) is the access network (WiFi)."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Saving in case-record over WiFi has been about 4.2 s slower than usual since 10:42." + CAUSE),
        (
            {"open": False},
            "Saving in case-record over WiFi was about 4.2 s slower than usual from 10:42 to 11:00." + CAUSE,
        ),
        (
            {"censored": 21, "at_least": True, "excess_at_least": True},
            "Saving in case-record over WiFi has been at least 4.2 s slower than usual since 10:42." + CAUSE,
        ),
        (
            {"runs": 42, "stood": 5},
            "Saving in case-record over WiFi has stood still in 5 of 42 runs, for about 4.2 s more than usual "
            "since 10:42." + CAUSE,
        ),
        (
            {"against": Reference.TARGET},
            "Saving in case-record over WiFi has been about 4.2 s slower than its target allows since 10:42." + CAUSE,
        ),
        (
            {"against": Reference.REFERENCE},
            "Saving in case-record over WiFi has been about 4.2 s slower than by the best access in the same minutes "
            "since 10:42." + CAUSE,
        ),
        (
            {"start": NOW - timedelta(days=2)},
            "Saving in case-record over WiFi has been about 4.2 s slower than usual since Tue 21 Jul 11:00." + CAUSE,
        ),
        (
            {
                "status": Status.FAILING,
                "excess_seconds": None,
                "excess_rate": Interval(estimate=0.35, low=0.2, high=0.5),
            },
            "Saving in case-record over WiFi has failed in 35 more of every 100 runs than usual since 10:42." + CAUSE,
        ),
        (
            {
                "status": Status.FAILING,
                "open": False,
                "step": "login",
                "excess_seconds": None,
                "excess_rate": Interval(estimate=1.0, low=0.9, high=1.0),
            },
            "Signing in to case-record over WiFi failed in 100 more of every 100 runs than usual from 10:42 to 11:00."
            + CAUSE,
        ),
        (
            {"environment": "test"},
            "Saving in case-record over WiFi (test environment) has been about 4.2 s slower than usual since 10:42."
            + CAUSE,
        ),
        (
            {"step": "attach", "population": CITRIX, "layers": (blamed(Layer.STORAGE, 0.96, 0.92, 1.0, "lun-7"),)},
            (
                'Step "attach" of case-record in Citrix over cable has been about 4.2 s slower than usual since 10:42. '
                "Nearly all of it (92 to 100 %) is the storage, lun-7."
            ),
        ),
        (
            {"layers": (blamed(Layer.DATABASE, 0.4, 0.3, 0.5), blamed(Layer.APPLICATION, 0.3, 0.2, 0.4))},
            (
                "Saving in case-record over WiFi has been about 4.2 s slower than usual since 10:42. "
                "The largest part of it (30 to 50 %) is the database; 20 to 40 % is the application (release, code)."
            ),
        ),
        (
            {"layers": (cleared(Layer.STORAGE), cleared(Layer.DATABASE))},
            (
                "Saving in case-record over WiFi has been about 4.2 s slower than usual since 10:42. "
                "Which layer it is cannot be said; it is not the storage nor the database."
            ),
        ),
        (
            {"layers": (), "inseparable": ((Layer.STORAGE, Layer.DATABASE),)},
            (
                "Saving in case-record over WiFi has been about 4.2 s slower than usual since 10:42. "
                "No layer can be blamed alone. The data cannot tell the storage and the database apart."
            ),
        ),
        (
            {"layers": ()},
            (
                "Saving in case-record over WiFi has been about 4.2 s slower than usual since 10:42. "
                "Which layer it is cannot be said from what was measured."
            ),
        ),
        (
            {
                "status": Status.NORMAL,
                "measured": Interval(estimate=0.42, low=0.4, high=0.44),
                "expected": Interval(estimate=0.42, low=0.35, high=0.5),
            },
            "Saving in case-record over WiFi is as usual: 0.42 s, expected 0.35 to 0.50 s.",
        ),
        (
            {"status": Status.NOT_ENOUGH_EVIDENCE, "runs": 1},
            (
                "There is not enough evidence to say whether saving in case-record over WiFi is slow (1 run in this "
                "window)."
            ),
        ),
    ],
)
def test_a_verdict_in_words(changes: dict[str, Any], said: str) -> None:
    assert wording.sentence(verdict(**changes), LONDON) == said


def test_the_end_of_an_episode_over_midnight_names_its_day() -> None:
    past = verdict(open=False, start=NOW - timedelta(hours=14), end=NOW - timedelta(hours=2))
    assert "from Wed 22 Jul 21:00 to 09:00" in wording.sentence(past, LONDON)


def test_what_is_left_and_what_it_stands_on() -> None:
    assert wording.unexplained(verdict(unexplained=Share(share=0.12, low=0.05, high=0.2))) == (
        "12 % (5 to 20 %) of it stays unexplained."
    )
    assert wording.unexplained(verdict()) == "How much stays unexplained was not worked out."
    assert wording.excess(verdict()) == "4.2 s (3.9 to 4.5 s) above what is usual"
    assert wording.excess(verdict(censored=42, excess_at_least=True)).startswith("≥ 4.2 s")
    quality = wording.quality(verdict(censored=5, data_quality=("A clock was ahead.",)))
    assert quality[0] == "42 runs in this window."
    assert "at least as long as was waited" in quality[1]
    assert quality[-1] == "A clock was ahead."


@pytest.mark.parametrize(
    ("before", "during", "unit", "said"),
    [
        (0.0012, 0.045, "s", "before 1.2 ms, during 45 ms"),
        (None, 0.93, "1", "during 93 %"),
        (3e6, None, "By/s", "before 3.0 MB/s"),
        (None, None, "s", ""),
    ],
)
def test_numbers_of_evidence(before: float | None, during: float | None, unit: str, said: str) -> None:
    evidence = Evidence(rule="r", text="t", supports=True, unit=unit, before=before, during=during)
    assert wording.numbers(evidence) == said


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (wording.STATUS, Status),
        (wording.STATE, LayerState),
        (wording.RUNG, Rung),
        (wording.REFERENCE, Reference),
        (wording.OUTCOME, Outcome),
        (wording.PHASE, Phase),
    ],
)
def test_every_word_of_the_model_has_words_for_people(table: dict[Any, str], words: Any) -> None:
    assert set(table) == set(words)
    assert all(table.values())


def test_every_layer_and_access_has_a_name() -> None:
    assert len({wording.layer(layer) for layer in Layer}) == len(Layer)
    names = {wording.access(Population(link=link, presentation=Presentation.CITRIX)) for link in Link}
    assert len(names) == len(Link)
    assert wording.access(WIFI) == "WiFi"
    assert wording.access(CITRIX) == "Citrix over cable"
