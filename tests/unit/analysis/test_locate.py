"""The search over populations keeps its laws, on synthetic runs."""

from dataclasses import replace

import numpy as np

from analysis.locate import Location, Runs, locate, simplest

SIZES = (3, 2, 4)  # values of each attribute
SITE, LINK, RELEASE = range(3)
CULPRIT = ((SITE, 1), (LINK, 0))


def runs(seed: int, *, share: float = 0.0, usual: float = 0.05, count: int = 400) -> Runs:
    """Walk ``count`` runs now and in each of three slices before; of the culprits ``share`` more are bad now."""
    draw = np.random.default_rng(seed)
    values = np.column_stack([draw.integers(0, size, 4 * count) for size in SIZES])
    before = np.repeat(np.arange(4), count)
    hit = np.all([values[:, attribute] == value for attribute, value in CULPRIT], axis=0) & (before == 0)
    bad = draw.random(4 * count) < np.where(hit, usual + share, usual)
    return Runs(values=values, before=before, bad=bad.astype(float), runs=np.ones(4 * count))


def first(found: Runs) -> Location:
    return locate(found)[0]


def test_the_culprits_are_named_by_what_they_have_in_common_and_no_more() -> None:
    for seed in range(20):
        found = first(runs(seed, share=0.8))
        assert found.where == CULPRIT
        assert found.named


def test_where_it_makes_no_difference_who_a_run_is_nothing_is_named() -> None:
    named = [one for seed in range(150) for one in locate(runs(seed, usual=0.2, count=150)) if one.named]
    assert named == []


def test_worse_for_all_is_nowhere_in_particular() -> None:
    for seed in range(20):
        calm, bad = runs(seed), runs(seed + 1000, usual=0.7)
        mixed = replace(calm, bad=np.where(calm.before == 0, bad.bad, calm.bad))
        assert not any(one.named for one in locate(mixed))


def test_neither_order_nor_names_of_attributes_matter() -> None:
    made = runs(5, share=0.6)
    turned = replace(made, values=np.array(SIZES)[::-1] - 1 - made.values[:, ::-1])
    told = locate(made)
    expected = [{(2 - attribute, SIZES[attribute] - 1 - value) for attribute, value in one.where} for one in told]
    assert [set(one.where) for one in locate(turned)] == expected
    assert [one.score for one in locate(turned)] == [one.score for one in told]


def test_runs_counted_together_are_runs() -> None:
    made = runs(6, share=0.5)
    kinds, place = np.unique(np.column_stack([made.values, made.before]), axis=0, return_inverse=True)
    together = Runs(
        values=kinds[:, :-1],
        before=kinds[:, -1],
        bad=np.bincount(place, weights=made.bad).astype(float),
        runs=np.bincount(place).astype(float),
    )
    assert locate(together) == locate(made)


def test_more_excess_never_takes_the_name_away() -> None:
    told = [first(runs(7, share=share)) for share in (0.3, 0.5, 0.7, 0.9)]
    assert [one.where for one in told] == [CULPRIT] * 4
    assert [one.chance for one in told] == sorted((one.chance for one in told), reverse=True)


def test_what_began_before_it_was_noticed_is_not_its_own_reference() -> None:
    made, noticed = runs(8, share=0.8), runs(9, share=0.8)
    late = replace(made, bad=np.where(made.before == 1, np.roll(noticed.bad, 400), made.bad))
    values = np.where((made.before == 1)[:, None], np.roll(noticed.values, 400, axis=0), made.values)
    found = first(replace(late, values=values))
    assert found.where == CULPRIT
    assert found.precision > 0.8


def test_attributes_that_go_together_are_said_once() -> None:
    made = runs(10, share=0.8)
    doubled = replace(made, values=np.column_stack([made.values[:, :2], made.values[:, 0]]))
    assert simplest(doubled, first(doubled)) == CULPRIT


def test_without_a_bad_run_there_is_nothing_to_place() -> None:
    made = runs(11)
    assert locate(replace(made, bad=np.zeros(len(made.bad)))) == []
    none = Runs(values=made.values[:0], before=made.before[:0], bad=made.bad[:0], runs=made.runs[:0])
    assert locate(none) == []
