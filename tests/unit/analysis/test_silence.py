"""Silence clears nobody: a source that stopped, a window with a hole, a window without data."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.conclude import conclude
from analysis.loading import load
from analysis.loading import window as opened
from analysis.settings import AnalysisSettings
from analysis.silence import SILENCE
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind
from collector.model.run import Phase
from collector.model.verdict import LayerState, Reference, Status, Verdict
from collector.quality.doors import DoorNotes
from collector.quality.every_minute import EveryMinute
from collector.quality.ledger import between
from collector.registries.database import DatabaseRegistry
from collector.store import Batch
from collector.stores.memory import MemoryStore
from tests.worlds.generator import START, WIFI, WIRED, Fault, Missing, World, runs, samples, window

QUIET = World(populations=(WIFI, WIRED))
FAST = AnalysisSettings(seasonal=False)
SLOW_DATABASE = World(
    populations=(WIFI, WIRED),
    faults=[Fault(seconds={Phase.SERVER_DB: 0.5}, steps=["search"], shifts={("db-1", "db.busy"): 0.5})],
)


def event(
    kind: QualityKind, subject: str, begin: float, end: float | None, *layers: Layer, detail: str = ""
) -> QualityEvent:
    at = START + timedelta(seconds=begin)
    until = None if end is None else START + timedelta(seconds=end)
    return QualityEvent(
        event_id=f"{kind}-{subject}-{begin:.0f}",
        told_at=at,
        at=at,
        until=until,
        site="site-1",
        kind=kind,
        subject=subject,
        layers=layers,
        detail=detail,
        amount=3.0,
        unit="rows",
    )


def of(facts: Window) -> list[Verdict]:
    return conclude(facts, Reference.EXPECTED, FAST, now=facts.end)


def states(verdict: Verdict) -> dict[Layer, LayerState]:
    return {layer.layer: layer.state for layer in verdict.layers}


def without(facts: Window, component: str, begin: float, end: float = 1e9) -> Window:
    samples = facts.samples
    after = (samples["at"] - samples["at"].min()).dt.total_seconds()
    gone = (samples["component"] == component) & (after >= begin) & (after < end)
    return replace(facts, samples=samples[~gone].reset_index(drop=True))


@pytest.fixture(scope="module")
def slow() -> Window:
    return window(SLOW_DATABASE)


def test_storage_whose_samples_stopped_is_not_cleared_though_they_were_flat(slow: Window) -> None:
    assert LayerState.CLEARED in {states(v)[Layer.STORAGE] for v in of(slow) if v.status is Status.SLOW}  # when heard
    bad = [verdict for verdict in of(without(slow, "lun-1", 625.0)) if verdict.status is Status.SLOW]
    assert bad
    for verdict in bad:
        assert states(verdict)[Layer.STORAGE] in {LayerState.INCONCLUSIVE, LayerState.NOT_MEASURED}
        assert any("nothing was heard of storage (lun-1)" in note for note in verdict.data_quality)
        assert SILENCE in verdict.methods


def test_a_source_that_dies_is_told_by_the_collectors_own_look_and_then_clears_nothing(tmp_path: Path) -> None:
    dies, end = START + timedelta(seconds=590), START + timedelta(seconds=SLOW_DATABASE.seconds + 240)
    walked, seen = runs(replace(SLOW_DATABASE, seconds=960.0)), samples(replace(SLOW_DATABASE, seconds=960.0))
    kept = tuple(sample for sample in seen if sample.component != "lun-1" or sample.at < dies)
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    with closing(registry), closing(MemoryStore()) as store:
        store.append(Batch(batch_id="w:1", sender="w", runs=tuple(walked), samples=kept))
        EveryMinute(store=store, site="site-1", notes=DoorNotes(site="site-1")).look(end)
        (told,) = between(store, START, end)
        facts = load(store, registry, FAST, start=end - timedelta(minutes=4), end=end, since=START)
    assert (told.kind, told.subject, told.until) == (QualityKind.STALE_SOURCE, "lun-1", None)
    bad = [verdict for verdict in of(opened(facts)) if verdict.status is Status.SLOW]
    assert bad
    assert LayerState.CLEARED not in {states(verdict)[Layer.STORAGE] for verdict in bad}
    assert all({Layer.DATABASE, Layer.STORAGE} <= set(verdict.inseparable[0]) for verdict in bad)  # it may be the disks


def test_a_failure_in_the_ledger_uncovers_a_layer_even_if_it_is_heard_again_at_the_end(slow: Window) -> None:
    facts = without(slow, "lun-1", 605.0, 700.0)
    facts = replace(facts, ledger=(event(QualityKind.SOURCE_FAILURE, "lun-1", 605, 700, Layer.STORAGE),))
    bad = [verdict for verdict in of(facts) if verdict.status is Status.SLOW]
    assert bad
    assert LayerState.CLEARED not in {states(verdict)[Layer.STORAGE] for verdict in bad}


def test_a_failure_that_still_lasts_makes_a_quiet_layer_not_measured() -> None:
    facts = window(QUIET)
    facts = replace(facts, ledger=(event(QualityKind.STALE_SOURCE, "lun-1", 60, None, Layer.STORAGE),))
    told = of(facts)
    assert {verdict.status for verdict in told} == {Status.NORMAL}
    assert {states(verdict)[Layer.STORAGE] for verdict in told} == {LayerState.NOT_MEASURED}
    assert {states(verdict)[Layer.APP_SERVER] for verdict in told} == {LayerState.CLEARED}


def test_what_the_ledger_says_is_noted_where_it_concerns_the_verdict() -> None:
    facts = window(QUIET)
    endpoints = sorted(facts.steps["endpoint"].unique())
    wifi = facts.steps.loc[facts.steps["link"] == "wifi", "endpoint"].iloc[0]
    facts = replace(
        facts,
        ledger=(
            event(QualityKind.COUNTER_RESET, "db-1", 100, 100, detail="the statistics were reset"),
            event(QualityKind.SOURCE_FAILURE, "db-1", 100, 160, Layer.DATABASE),
            event(QualityKind.REJECTED_ROWS, str(wifi), 100, 160, detail="no time"),
            event(QualityKind.UNIT_SURPRISE, "lun-1", 9000, 9000, detail="after the window"),
        ),
    )
    assert len(endpoints) > 1
    for verdict in of(facts):
        notes = " ".join(verdict.data_quality)
        assert "counters of db-1 began anew: the statistics were reset" in notes
        assert "not heard for a part of this time: db-1 60 s" in notes
        assert (f"refused from {wifi}: 3 rows (no time)" in notes) == (str(verdict.population.link) == "wifi")
        assert "after the window" not in notes
        assert states(verdict)[Layer.DATABASE] is LayerState.CLEARED


def test_a_window_with_a_hole_says_so_and_how_long() -> None:
    told = of(window(replace(QUIET, missing=Missing(told=lambda _population, at: 300 <= at < 420))))
    assert told
    assert all(any("a gap of 125 s without runs" in note for note in verdict.data_quality) for verdict in told)


def test_no_data_is_never_normal() -> None:
    facts = window(QUIET)
    later = replace(facts, start=facts.end + timedelta(hours=1), end=facts.end + timedelta(hours=2))
    told = of(later)
    assert told
    assert {verdict.status for verdict in told} == {Status.NOT_ENOUGH_EVIDENCE}
    assert all(not verdict.layers for verdict in told)
    assert all(any("no run for" in note for note in verdict.data_quality) for verdict in told)
