"""Episodes start and end where the rule says, not one run elsewhere."""

from analysis.watch import Watch, limits

LIMIT = limits(0.15, 0.001, least_share=0.5)


def watched(pattern: str) -> Watch:
    watch = Watch()
    for letter in pattern:
        watch.push(letter == "x", LIMIT)
    return watch


def test_a_hard_fault_fires_with_the_fifth_slow_run() -> None:
    assert watched("." * 20 + "xxxx").active is None
    found = watched("." * 20 + "xxxxx").active
    assert found is not None
    assert (found.first, found.last, found.open) == (20, 24, True)


def test_a_fault_that_hits_two_of_three_runs_fires_too() -> None:
    found = watched("." * 20 + "xx." * 8).active
    assert found is not None
    assert found.first == 20


def test_single_outliers_never_fire() -> None:
    assert watched("....x....x......x.....xx.....x....x.....x" * 5).stretches == []


def test_it_ends_after_eight_runs_with_at_most_one_slow() -> None:
    watch = watched("." * 10 + "x" * 10 + "......")
    assert watch.active is not None
    for letter in ".":
        watch.push(letter == "x", LIMIT)
    (stretch,) = watch.stretches
    assert (stretch.first, stretch.last, stretch.open) == (10, 19, False)


def test_a_second_fault_is_a_second_stretch() -> None:
    watch = watched("." * 10 + "x" * 10 + "." * 10 + "x" * 10)
    assert [(s.first, s.last, s.open) for s in watch.stretches] == [(10, 19, False), (30, 39, True)]
