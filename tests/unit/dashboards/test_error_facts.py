from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from collector.model.run import Outcome, Run, StepTiming
from collector.store import Batch
from collector.stores.memory import MemoryStore
from dashboards.facts.errors import ErrorRow, read
from tests.browser.scene import NOW, WIRED, make_run

WEEK = timedelta(days=7)
GOOD = StepTiming(step="open", outcome=Outcome.OK, seconds=0.2)


def failed(text: str | None, *, kind: str | None = "expect", outcome: Outcome = Outcome.FAILED) -> StepTiming:
    limit: dict[str, Any] = {"seconds": 5.0, "censored": True} if outcome is Outcome.TIMEOUT else {}
    return StepTiming(step="save", outcome=outcome, error_kind=kind, error=text, **limit)


def run(number: int, age: timedelta, *steps: StepTiming, release: str | None = "3.58", journey: str = "day") -> Run:
    made = make_run(f"{number:032x}", NOW - age, WIRED, (GOOD, *steps), journey=journey)
    return replace(made, facts={"release": release} if release else {})


def rows(*runs: Run, start: datetime = NOW - WEEK) -> list[ErrorRow]:
    store = MemoryStore()
    store.append(Batch(batch_id="a:1", sender="a", runs=runs))
    return read(store, start, NOW)


def test_texts_of_one_kind_are_one_row_with_its_rate_by_release() -> None:
    found = rows(
        run(1, timedelta(hours=4), failed("case 17 is locked"), release="3.57"),
        run(2, timedelta(hours=3), failed("case 4711 is locked")),
        run(3, timedelta(hours=2), failed("case 12 is locked")),
        run(4, timedelta(hours=1)),
    )
    assert [(row.release, row.runs, row.of_runs) for row in found] == [("3.58", 2, 3), ("3.57", 1, 1)]
    assert {row.pattern.template for row in found} == {"case # is locked"}
    assert found[0].rate == pytest.approx(2 / 3)
    assert (found[0].example, found[0].last_run, found[0].steps) == ("case 12 is locked", f"{3:032x}", ("save",))
    assert found[0].last_seen == NOW - timedelta(hours=2)


def test_the_first_time_is_that_of_any_release_and_looked_for_before_the_window() -> None:
    before = run(1, timedelta(days=30), failed("case 17 is locked"), release="3.50")
    (known,) = rows(before, run(2, timedelta(hours=3), failed("case 4711 is locked")))
    assert (known.first_seen, known.new) == (NOW - timedelta(days=30), False)
    (other,) = rows(before, run(2, timedelta(hours=3), failed("no such case")))
    assert (other.first_seen, other.new) == (NOW - timedelta(hours=3), True)
    (elsewhere,) = rows(before, run(2, timedelta(hours=3), failed("case 9 is locked"), journey="night"))
    assert elsewhere.new


def test_a_run_that_never_saw_the_release_counts_for_the_last_one_seen() -> None:
    found = rows(
        run(1, timedelta(hours=5), failed("refused", kind="connect"), release=None),
        run(2, timedelta(hours=4)),
        run(3, timedelta(hours=3), failed("refused", kind="connect"), release=None),
    )
    assert {(row.release, row.runs, row.of_runs) for row in found} == {(None, 1, 1), ("3.58", 1, 2)}


def test_journeys_and_kinds_are_never_mixed() -> None:
    found = rows(
        run(1, timedelta(hours=5), failed("gone", kind="reset")),
        run(2, timedelta(hours=4), failed("gone", kind="connect")),
        run(3, timedelta(hours=3), failed("gone", kind="reset"), journey="night"),
    )
    assert {(row.journey, row.pattern.kind, row.of_runs) for row in found} == {
        ("day", "reset", 2), ("day", "connect", 2), ("night", "reset", 1),
    }  # fmt: skip


def test_an_error_without_words_is_its_outcome_and_slow_is_no_error() -> None:
    slow = StepTiming(step="save", outcome=Outcome.SLOW, seconds=9.0, target_seconds=1.0)
    found = rows(
        run(1, timedelta(hours=5), failed(None, kind=None, outcome=Outcome.TIMEOUT)), run(2, timedelta(hours=4), slow)
    )
    assert [(row.pattern.kind, row.pattern.template, row.runs, row.of_runs) for row in found] == [("timeout", "", 1, 2)]


def test_nothing_stored_is_an_empty_list() -> None:
    assert rows() == []
