"""What faults cost is measured from runs, and stated shares are held against it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from collector.model.access import Link, Population, Presentation
from collector.model.layer import Layer
from collector.model.verdict import Interval, LayerState, LayerVerdict, Reference, Rung, Status, Verdict
from collector.plugin import load
from deploy.lab import faults
from deploy.lab.fault import Fault
from deploy.lab.span import Span
from deploy.lab.trials.excess import Run, Step, _student, caused, difference, measured
from deploy.lab.trials.injector import Injected
from deploy.lab.trials.shares import held_shares
from deploy.lab.trials.trial import Trial

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WIFI = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
SAVE = Step("case-record", "save", WIFI)
QUIET, BOTH, ONLY_STORAGE, ONLY_WIFI = 0, 30, 40, 50  # at which run each begins; a run every 5 s


def at(run: int) -> datetime:
    return START + timedelta(seconds=5 * run)


def seconds(run: int) -> float:
    usual = 0.1 + 0.01 * (run % 3)
    storage = 0.6 if BOTH <= run < ONLY_WIFI else 0.0
    wifi = 0.2 if BOTH <= run < ONLY_STORAGE or run >= ONLY_WIFI else 0.0
    return usual + storage + wifi


RUNS = {SAVE: [Run(at(run), seconds(run)) for run in range(60)]}


def injected(kind: str, alone: tuple[int, int] | None) -> Injected:
    own = None if alone is None else Span(at(alone[0]), at(alone[1]))
    spans = [Span(at(BOTH), at(ONLY_STORAGE)), *([own] if own else [])]
    return Injected(kind=kind, fault=load(faults, kind, Fault), strength=1.0, spans=spans, alone=own)


def trial(*who: Injected, verdicts: Sequence[Verdict] = ()) -> Trial:
    truths = tuple(one.truth for one in who if one.truth)
    off = (Span(at(QUIET), at(BOTH)),)
    return Trial(name="t", words="", truths=truths, verdicts=tuple(verdicts), injected=who, off=off)


def verdict(**shares: tuple[float, float, float]) -> Verdict:
    layers = [
        LayerVerdict(layer=Layer(name), component=None, state=LayerState.BLAMED, share=share, low=low, high=high)
        for name, (share, low, high) in shares.items()
    ]
    return Verdict(
        id="v", site="lab", status=Status.SLOW, against=Reference.EXPECTED, rung=Rung.POOLED, journey=SAVE.journey,
        step=SAVE.step, population=WIFI, start=at(BOTH), end=at(ONLY_STORAGE - 1), open=True, runs=10,
        excess_seconds=Interval(estimate=0.8, low=0.7, high=0.9), layers=tuple(layers), counting_rules="1",
        snapshot=1, digest="d", reached_at=at(ONLY_STORAGE),
    )  # fmt: skip


BOTH_ALONE = (injected("storage", (ONLY_STORAGE, ONLY_WIFI)), injected("wifi", (ONLY_WIFI, 60)))


def test_the_interval_of_a_difference_is_students() -> None:
    for free, quantile in ((2, 2.920), (3, 2.353), (5, 2.015), (10, 1.812), (100, 1.660)):
        assert _student(free) == pytest.approx(quantile, rel=0.02)
    found = difference([2.0, 3.0, 4.0], [1.0, 1.0, 1.0])
    assert found is not None
    assert found.estimate == 2.0
    assert found.high == pytest.approx(2 + 2.920 / 3**0.5, rel=0.02)
    assert difference([2.0, 3.0], [1.0, 1.0, 1.0]) is None


def test_the_excess_is_on_minus_off_while_nothing_was_alone() -> None:
    (excess,) = measured(RUNS, trial(*BOTH_ALONE))
    assert (excess.on, excess.off, excess.unmeasured) == (10, 30, 0)
    assert excess.seconds is not None
    assert excess.seconds.low < 0.8 < excess.seconds.high
    lost = {SAVE: [replace(run, seconds=None) if run.slot == at(BOTH) else run for run in RUNS[SAVE]]}
    (excess,) = measured(lost, trial(*BOTH_ALONE))
    assert (excess.on, excess.unmeasured) == (9, 1)


def test_what_each_of_two_costs_shows_when_it_is_made_alone() -> None:
    storage, wifi = BOTH_ALONE
    told = trial(storage, wifi)
    by = {one.kind: caused(RUNS[SAVE], told, [one], None) for one in (storage, wifi)}
    assert {kind: round(one.estimate, 1) for kind, one in by.items() if one} == {"storage": 0.6, "wifi": 0.2}


def test_shares_are_held_against_what_was_measured() -> None:
    said = verdict(storage=(0.7, 0.6, 0.8), access_network=(0.05, 0.0, 0.1), database=(0.2, 0.1, 0.3))
    held = {one.layer.layer: one for one in held_shares(RUNS, trial(*BOTH_ALONE, verdicts=[said]))}
    assert {layer: one.covers for layer, one in held.items()} == {
        Layer.STORAGE: True,
        Layer.ACCESS_NETWORK: False,
        Layer.DATABASE: False,  # nobody made it slow, and its interval does not hold nothing
    }
    truth = held[Layer.STORAGE].truth
    assert truth is not None
    assert truth.estimate == pytest.approx(0.75, abs=0.02)


def test_of_two_not_made_alone_the_share_is_not_known_and_of_one_it_is() -> None:
    said = verdict(storage=(0.7, 0.6, 0.8))
    together = trial(injected("storage", None), injected("wifi", None), verdicts=[said])
    assert [one.covers for one in held_shares(RUNS, together)] == [None]
    # The cable's fault does not act on the radio's runs: all of their excess is the storage's.
    elsewhere = trial(injected("storage", None), injected("wired", None), verdicts=[said])
    (share,) = held_shares(RUNS, elsewhere)
    assert share.truth is not None
    assert (share.truth.estimate, share.covers) == (1.0, False)
    assert share.excess is not None
    assert share.excess.estimate == pytest.approx(0.8, abs=0.02)


def test_what_more_runs_did_not_change_is_held_once() -> None:
    said = verdict(storage=(1.0, 0.9, 1.0))
    later = replace(said, version=2)
    told = replace(trial(injected("storage", None), verdicts=[said]), held=(said,))
    assert [one.when for one in held_shares(RUNS, told)] == ["first"]
    assert [one.when for one in held_shares(RUNS, replace(told, held=(later,)))] == ["first", "held"]
