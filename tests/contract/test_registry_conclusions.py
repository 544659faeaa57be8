"""Changes and verdicts in every registry: kept once, never altered, found by period."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from collector.estate import understood
from collector.model.access import Link, Population, Presentation
from collector.model.change import Change
from collector.model.drops import DropRate, DropReport
from collector.model.errors import RejectedBatch
from collector.model.judged import Judged
from collector.model.layer import Layer
from collector.model.session import EndCause, Kept
from collector.model.verdict import (
    Evidence,
    Interval,
    LayerState,
    LayerVerdict,
    MethodUse,
    Reference,
    Rung,
    Status,
    Verdict,
    Where,
)
from collector.registry import Registry, Removed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def verdict(number: int = 1, **changed: object) -> Verdict:
    layer = LayerVerdict(
        layer=Layer.STORAGE,
        component="lun-7",
        state=LayerState.BLAMED,
        share=0.8,
        low=0.7,
        high=0.9,
        evidence_for=(Evidence(rule="r1", text="slower", supports=True, source={"metric": "m"}, before=0.1),),
    )
    base = Verdict(
        id=f"v{number}",
        site="s",
        status=Status.SLOW,
        against=Reference.EXPECTED,
        rung=Rung.POOLED,
        journey="case-record",
        step="save",
        population=Population(link=Link.WIFI, presentation=Presentation.CITRIX),
        start=NOW + number * MINUTE,
        end=NOW + (number + 1) * MINUTE,
        runs=42,
        measured=Interval(estimate=4.2, low=3.9, high=4.5),
        layers=(layer,),
        inseparable=((Layer.STORAGE, Layer.DATABASE),),
        where=Where(attributes={"link": "wifi"}, bad=40, runs=42, bad_elsewhere=2, runs_elsewhere=80),
        methods=(MethodUse(name="phases", version="1"),),
        counting_rules="1",
        snapshot=7,
        digest="d",
        reached_at=NOW,
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def change(name: str, start: datetime, end: datetime | None = None) -> Change:
    return Change(
        change_id=name, site="s", what="w", layer=Layer.STORAGE, start=start, end=end, declared_by="p", declared_at=NOW
    )


def test_changes_of_a_known_batch_change_nothing(registry: Registry) -> None:
    assert registry.add_changes("a:1", [change("c1", NOW)])
    assert not registry.add_changes("a:1", [change("c2", NOW)])
    assert registry.changes(NOW - MINUTE, NOW + MINUTE) == [change("c1", NOW)]


def test_changes_that_overlap_a_period_by_start(registry: Registry) -> None:
    under_way, short, later = (
        change("c1", NOW - timedelta(days=90)),
        change("c2", NOW, NOW + MINUTE),
        change("c3", NOW + 9 * MINUTE),
    )
    registry.add_changes("a:1", [later, short, under_way])
    assert registry.changes(NOW, NOW + 5 * MINUTE) == [under_way, short]
    assert registry.changes(NOW + 2 * MINUTE, NOW + 5 * MINUTE) == [under_way]


def test_a_change_under_way_gets_its_end(registry: Registry) -> None:
    registry.add_changes("a:1", [change("c1", NOW)])
    registry.add_changes("a:2", [change("c1", NOW, NOW + MINUTE)])
    assert registry.changes(NOW, NOW + MINUTE) == [change("c1", NOW, NOW + MINUTE)]


def test_who_may_not_replace_a_change_is_refused_with_all_of_its_batch(registry: Registry) -> None:
    registry.add_changes("a:1", [change("c1", NOW)])
    with pytest.raises(RejectedBatch, match="another change has this id") as refused:
        registry.add_changes("a:2", [change("c2", NOW), change("c1", NOW, NOW + MINUTE)], replace=False)
    assert refused.value.field == "changes.1.change_id"
    assert registry.changes(NOW, NOW + MINUTE) == [change("c1", NOW)]
    assert registry.add_changes("a:2", [change("c2", NOW), change("c1", NOW)], replace=False)
    assert registry.changes(NOW, NOW + MINUTE) == [change("c1", NOW), change("c2", NOW)]


def test_a_verdict_comes_back_as_it_was_and_never_changes(registry: Registry) -> None:
    registry.put_verdicts([verdict(1)])
    registry.put_verdicts([verdict(1, runs=99)])
    assert registry.verdict("v1") == verdict(1)
    registry.put_verdicts([verdict(1, version=2, runs=99)])
    assert registry.verdict("v1") == verdict(1, version=2, runs=99)
    assert registry.verdict("v1", 1) == verdict(1)
    assert registry.verdict("v1", 3) is None
    assert registry.verdict("unknown") is None


def test_the_latest_versions_that_are_bad_newest_first(registry: Registry) -> None:
    registry.put_verdicts([verdict(1), verdict(2), verdict(3), verdict(2, version=2, status=Status.NORMAL)])
    end = NOW + 60 * MINUTE
    assert [found.id for found in registry.verdicts(NOW, end)] == ["v3", "v1"]
    assert [found.id for found in registry.verdicts(NOW, end, limit=1)] == ["v3"]
    assert [found.id for found in registry.verdicts(NOW, NOW + 2 * MINUTE)] == ["v1"]


def test_a_merged_verdict_is_not_listed_and_stays_readable_with_all_its_versions(registry: Registry) -> None:
    registry.put_verdicts([verdict(1), verdict(2)])
    shaped = {"settings": {"level": 0.9, "seasonal": True, "baseline_runs": 30}, "made_with": {"numpy": "2.4.0"}}
    gone = verdict(2, version=2, merged_into="v1", changed=("it is the same episode as verdict v1",), **shaped)
    registry.put_verdicts([gone])
    assert [found.id for found in registry.verdicts(NOW, NOW + 60 * MINUTE)] == ["v1"]
    assert registry.verdict("v2") == gone
    assert registry.verdict("v2", 1) == verdict(2)


def test_how_far_was_judged_is_replaced(registry: Registry) -> None:
    assert registry.judged() is None
    for rows in ({NOW: 3}, {NOW: 5, NOW + 60 * MINUTE: 1}):
        judged = Judged(until=NOW + 60 * MINUTE, to=NOW + 75 * MINUTE, rows={"runs": rows, "samples": {}})
        registry.put_judged(judged)
        assert registry.judged() == judged


def test_what_stands_is_replaced_per_step_population_and_reference(registry: Registry) -> None:
    registry.put_standing([verdict(1, status=Status.NORMAL), verdict(2, against=Reference.TARGET)])
    registry.put_standing([verdict(3)])
    assert [found.id for found in registry.standing()] == ["v3", "v2"]


def test_live_and_test_systems_stand_apart(registry: Registry) -> None:
    registry.put_standing([verdict(1), verdict(2, environment="test")])
    assert [found.id for found in registry.standing()] == ["v1", "v2"]


def test_what_was_counted_of_sessions_is_replaced(registry: Registry) -> None:
    assert registry.drops() is None
    wifi = Population(link=Link.WIFI, presentation=Presentation.LOCAL)
    rate = DropRate(
        site="north", journey="case-record", environment="live", population=wifi, sessions=2, hours=20.0, drops=1,
        rate=Interval(estimate=50.0, low=2.6, high=237.0), ends={EndCause.HOST: 1}, saved_work={Kept.LOST: 1},
    )  # fmt: skip
    report = DropReport(start=NOW - MINUTE, end=NOW, reached_at=NOW, snapshot=7, counting_rules="1", rates=(rate,))
    registry.put_drops(replace(report, rates=()))
    registry.put_drops(report)
    assert registry.drops() == report


def test_every_map_of_the_estate_is_kept_and_one_is_in_force(registry: Registry) -> None:
    assert registry.estate() is None
    text = (files("collector") / "example-estate.yaml").read_text("utf-8")
    first = understood(text, Path("estate.yaml"))
    second = understood(text.replace("2027-01-10", "2027-03-31").replace("2027-01-11", "2027-04-01"), Path("later"))
    registry.put_estate(first)
    registry.put_estate(second)
    registry.put_estate(second)
    assert registry.estate() == second
    assert registry.estate(first.digest) == first
    registry.put_estate(None)
    assert registry.estate() is None
    assert registry.estate(second.digest) == second
    assert registry.estate("unknown") is None


def test_a_forgotten_site_leaves_its_verdicts_without_evidence_and_nothing_else(registry: Registry) -> None:
    south = replace(verdict(2), site="south")
    registry.put_verdicts([verdict(1), south, replace(south, version=2)])
    registry.put_standing([verdict(1), south])
    registry.add_changes("b", [change("c-1", NOW), replace(change("c-2", NOW), site="south")])
    assert registry.forget("south", now=NOW, dry_run=True) == Removed(verdicts=2, changes=1, maps=0)
    assert registry.verdict("v2") == replace(south, version=2)
    assert registry.forget("south", now=NOW) == Removed(verdicts=2, changes=1, maps=0)
    for version in (1, 2):
        kept = registry.verdict("v2", version)
        assert kept is not None
        assert kept == replace(south, version=version).without_evidence(kept.site, NOW)
        assert "south" not in kept.site
    assert registry.verdict("v1") == verdict(1)
    assert registry.standing() == [verdict(1)]
    assert [one.change_id for one in registry.changes(NOW, NOW + MINUTE)] == ["c-1"]
    assert registry.forget("south", now=NOW) == Removed(verdicts=0, changes=0, maps=0)
