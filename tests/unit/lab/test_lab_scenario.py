"""Scenario files, their timetable, and what is drawn from a seed."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model.errors import ConfigError, WhichlayerError
from collector.plugin import load, names
from deploy.lab import faults
from deploy.lab.fault import Fault
from deploy.lab.trials import choosing, scenario
from deploy.lab.trials.scenario import Flap, Part, Scenario
from deploy.lab.trials.timetable import strength_at, watched
from deploy.lab.trials.users import wanted

MISTAKEN = """\
words: two mistakes and a flood
faults:
  - {fault: flood}
  - {fault: storage, strength: [0.9, 0.3]}
  - {fault: wifi, start: 30 s, end: 20 s, stronger: yes}
  - {fault: query, flap: {on: 0 s, off: 5 s}}
"""


def test_each_mistake_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MISTAKEN)
    with pytest.raises(ConfigError) as told:
        scenario.find(str(file))
    lines = {mistake.line: mistake.message for mistake in told.value.mistakes}
    assert set(lines) == {3, 4, 5, 6}
    assert "is no fault of the lab: there are app_cpu" in lines[3]
    assert "the smaller one first" in lines[4]
    assert "is not a known key" in lines[5]
    assert "greater than 0" in lines[6]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("{fault: wifi, start: 30 s, end: 20 s}", "end must be later than start"),
        ("{fault: storage, start: 5 s}\n  - {fault: storage, start: 60 s}", "storage is there twice at the same time"),
    ],
)
def test_times_that_cannot_be_are_told(tmp_path: Path, fault: str, problem: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"words: w\nfaults:\n  - {fault}\n")
    with pytest.raises(ConfigError, match=problem):
        scenario.find(str(file))


def test_a_name_that_is_nothing_is_told_with_those_there_are() -> None:
    with pytest.raises(WhichlayerError, match=r"there is no scenario flood: .*wifi-and-storage"):
        scenario.find("flood")


@pytest.mark.parametrize("name", scenario.shipped())
def test_every_shipped_scenario_is_one_and_its_faults_are_there(name: str) -> None:
    found, one = scenario.find(name)
    assert found == name
    assert all(isinstance(load(faults, part.fault, Fault), Fault) for part in one.faults)
    assert watched(scenario.planned(name, one, random.Random(1)), 5) > 0


def test_every_fault_is_a_scenario_by_itself() -> None:
    assert set(names(faults)) <= set(scenario.shipped())


SECONDS = st.floats(0, 500)
LASTING = st.floats(1, 200)
PARTS = st.builds(
    lambda start, lasts, ramp, flap: Part(
        fault="storage", start=start, end=None if lasts is None else start + lasts, ramp=ramp, flap=flap
    ),
    SECONDS,
    st.none() | LASTING,
    st.none() | LASTING,
    st.none() | st.builds(lambda on, off: Flap(on=on, off=off), LASTING, LASTING),
)


@settings(max_examples=60)
@given(PARTS, st.floats(0, 1), SECONDS)
def test_a_fault_is_on_between_its_times_and_never_stronger_than_drawn(part: Part, full: float, seconds: float) -> None:
    now = strength_at(part, full, seconds)
    on = part.start <= seconds < (float("inf") if part.end is None else part.end)
    since = seconds - part.start
    if part.flap is not None and on:
        on = since % (part.flap.on + part.flap.off) < part.flap.on
    assert (now is not None) == on
    if now is not None:
        assert 0 <= now <= full
        assert part.ramp is not None or now == full
        assert now == full or since < (part.ramp or 0)


@settings(max_examples=60)
@given(PARTS, st.floats(0, 1), SECONDS, SECONDS)
def test_a_ramp_never_falls(part: Part, full: float, one: float, other: float) -> None:
    earlier, later = (strength_at(part, full, seconds) for seconds in sorted((one, other)))
    if earlier is not None and later is not None:
        assert earlier <= later


def test_it_is_watched_until_the_last_has_had_its_time() -> None:
    def of(**more: object) -> float:
        return watched(scenario.planned("s", Scenario(words="w", **more), random.Random(1)), 5)  # type: ignore[arg-type]

    storage, innocent = Part(fault="storage", start=60, ramp=90), Part(fault="innocent", start=30)
    assert of(faults=(storage, innocent)) == 60 + 90 + 180
    assert of(faults=(innocent,)) == 30 + 60
    assert of(lasts=3600.0) == 3600


def test_a_seed_draws_the_same_again_and_unwritten_ones_differ() -> None:
    first = choosing.chosen(("storage", "wifi-and-storage"), blind=True, count=3, seed=5)
    assert first == choosing.chosen(("storage", "wifi-and-storage"), blind=True, count=3, seed=5)
    assert len({one.strengths for one in first}) == 6
    unwritten = choosing.chosen((), blind=True, count=40, seed=1)
    assert {len(one.guilty) for one in unwritten} == {1, 2}
    assert any(len(one.scenario.faults) > len(one.guilty) for one in unwritten)
    two = [{part.plugin.truth for part in one.guilty} for one in unwritten if len(one.guilty) == 2]
    assert all(len(layers) == 2 for layers in two)


def test_how_long_it_is_watched_can_be_told() -> None:
    (short,) = choosing.chosen(("quiet",), blind=False, count=1, seed=1, lasts="10 min")
    assert short.scenario.lasts == 600
    with pytest.raises(WhichlayerError, match="--lasts is not a duration"):
        choosing.chosen(("quiet",), blind=False, count=1, seed=1, lasts="long")


@settings(max_examples=60)
@given(st.integers(0, 20), st.integers(0, 20), st.floats(10, 1000), st.floats(0, 5000))
def test_people_swing_between_the_fewest_and_the_most(fewest: int, more: int, swing: float, seconds: float) -> None:
    assert wanted(fewest, fewest + more, swing, 0) == fewest
    assert wanted(fewest, fewest + more, swing, swing / 2) == fewest + more
    assert fewest <= wanted(fewest, fewest + more, swing, seconds) <= fewest + more
