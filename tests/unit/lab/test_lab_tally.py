"""What the matrix counts: refusals are misses, skipped ones are nowhere, unknown shares are not covered ones."""

from collections.abc import Mapping
from typing import Any

from deploy.lab.trials.tally import summary

POPULATION = {"link": "wifi", "presentation": "local"}
VERDICT = {"status": "slow", "journey": "j", "step": "save", "population": POPULATION, "runs": 4}


def line(*truth: str, named: tuple[str, ...] = (), strangers: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    said = bool(named or strangers)
    return {
        "scenario": "s", "truth": list(truth), "named": list(named), "strangers": list(strangers),
        "verdict": VERDICT if said else None, "right": not strangers and set(named) == set(truth),
        "refused": bool(truth) and not said, "skipped": None, "seconds_to_verdict": 15.0 if said else None,
        "every_seconds": 5.0, "shares": [], "windows": None, "innocents": [],
    } | more  # fmt: skip


def share(covers: bool | None, **more: Any) -> Mapping[str, Any]:
    return VERDICT | {"when": "first", "low": 0.7, "high": 1.0, "covers": covers} | more


def test_a_refusal_is_a_miss_and_a_skipped_one_is_nothing() -> None:
    counted = summary([
        line("storage", named=("storage",)),
        line("storage"),
        line("storage", strangers=("database",)),
        line("storage", skipped="no /dev/fuse", right=None, refused=None),
        line("storage", "access_network", named=("storage",)),
    ])  # fmt: skip
    one = counted["one_to_blame"]
    assert (one["count"], one["of"], one["refused"]) == (1, 3, 1)
    assert one["low"] < 1 / 3 < one["high"]
    assert (counted["several_to_blame"]["count"], counted["several_to_blame"]["of"]) == (0, 1)
    assert counted["skipped"] == 1
    assert counted["answers"] == {
        "access_network + storage": {"storage": 1},
        "storage": {"database": 1, "no verdict": 1, "storage": 1},
    }
    assert counted["intervals_to_right_verdict"] == {"count": 1, "median": 3.0, "longest": 3.0}
    assert counted["runs_in_right_verdict"] == {"count": 1, "median": 4, "most": 4}


def test_coverage_is_of_known_shares_and_told_apart_for_the_verdict_it_was_judged_by() -> None:
    elsewhere = share(False, step="login", low=0.5)
    held = share(False, when="held")
    counted = summary([line("storage", named=("storage",), shares=[share(True), elsewhere, share(None), held])])
    judged, first, later = (counted["shares"][name] for name in ("judged", "first", "held"))
    assert (judged["count"], judged["of"], judged["not_known"], judged["median_width"]) == (1, 1, 1, 0.3)
    assert (first["count"], first["of"], first["median_width"]) == (1, 2, 0.4)
    assert (later["count"], later["of"]) == (0, 1)


def test_quiet_windows_and_innocents_are_counted() -> None:
    counted = summary([
        line(windows={"normal": 95, "slow": 5}, innocents=["people at work"]),
        line("storage", named=("storage",), innocents=["innocent"]),
        line("storage", named=("storage",), strangers=("app_server",), innocents=["innocent"]),
    ])  # fmt: skip
    assert counted["quiet_windows"]["normal_rate"] == 0.95
    assert (counted["innocent_blamed"]["count"], counted["innocent_blamed"]["of"]) == (1, 3)
    assert counted["nobody_to_blame"]["count"] == 1


def test_nothing_at_all_has_no_rates() -> None:
    counted = summary([])
    assert "rate" not in counted["one_to_blame"]
    assert counted["intervals_to_right_verdict"] == {"count": 0}
    assert counted["quiet_windows"]["normal_rate"] is None


def test_both_are_counted_alike_over_what_both_have_judged() -> None:
    silent = {"right": False, "refused": True, "named": [], "strangers": [], "seconds": None}
    counted = summary([
        line("storage", named=("storage",), rules=silent | {"right": True, "refused": False, "seconds": 20.0}),
        line("storage", strangers=("database",), rules=silent),
        line("storage", named=("storage",)),
        line(rules=silent | {"refused": False, "strangers": ["storage"]}),
    ])["side_by_side"]  # fmt: skip
    assert [counted[who]["one_to_blame"]["count"] for who in ("whichlayer", "rules")] == [1, 1]
    assert {counted[who]["one_to_blame"]["of"] for who in ("whichlayer", "rules")} == {2}
    assert [counted[who]["nobody_to_blame"]["count"] for who in ("whichlayer", "rules")] == [1, 0]
    assert [counted[who]["refused"] for who in ("whichlayer", "rules")] == [0, 1]
    assert counted["rules"]["intervals_to_right_verdict"]["median"] == 4.0
    assert summary([line("storage")])["side_by_side"] == {}
