"""Laws of the analysis: what must not change a verdict, does not."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from analysis.window import Window, digest
from collector.model.run import Phase
from collector.model.verdict import Reference, Status, Verdict
from collector.rows import run_tables, sample_table
from tests.worlds.culprits import CULPRITS
from tests.worlds.generator import runs, samples, window, window_of

FAST = AnalysisSettings(seasonal=False)
WORLD = replace(CULPRITS["the storage under the database is slow"][1], seconds=680.0)


@lru_cache(maxsize=1)
def facts() -> Window:
    return window(WORLD)


@lru_cache(maxsize=1)
def columns() -> tuple[pa.Table, pa.Table]:
    return run_tables(runs(WORLD))["steps"], sample_table(samples(WORLD))


def concluded(of: Window) -> list[Verdict]:
    return conclude(of, Reference.EXPECTED, FAST, now=of.end)


@lru_cache(maxsize=1)
def reference() -> tuple[Verdict, ...]:
    return tuple(concluded(facts()))


def test_the_same_facts_give_the_same_verdict() -> None:
    assert tuple(concluded(window(WORLD))) == reference()


@given(st.randoms(use_true_random=False))
@settings(max_examples=3, deadline=None)
def test_the_order_of_arrival_does_not_matter(shuffle: Random) -> None:
    steps, sampled = columns()
    order, sample_order = list(range(len(steps))), list(range(len(sampled)))
    shuffle.shuffle(order)
    shuffle.shuffle(sample_order)
    assert tuple(concluded(window_of(steps.take(order), sampled.take(sample_order), WORLD.seconds))) == reference()


@given(st.integers(min_value=-200, max_value=200))
@settings(max_examples=3, deadline=None)
def test_shifting_all_times_by_whole_weeks_changes_times_only(weeks: int) -> None:
    by = timedelta(weeks=weeks)
    old = facts()
    moved = replace(
        old,
        start=old.start + by,
        end=old.end + by,
        history_start=old.history_start + by,
        steps=old.steps.assign(slot=old.steps["slot"] + by),
        samples=old.samples.assign(at=old.samples["at"] + by),
    )
    assert [_back(v, by) for v in concluded(moved)] == [replace(v, id="") for v in reference()]


@pytest.mark.parametrize("factor", [4.0])
def test_a_larger_scale_keeps_status_and_blame(factor: float) -> None:
    old = facts()
    scaled = ["seconds", *(str(phase) for phase in Phase)]
    steps = old.steps.assign(**{name: old.steps[name] * factor for name in scaled})
    seconds = old.samples["metric"].str.contains("latency")
    sampled = old.samples.assign(value=np.where(seconds, factor, 1.0) * old.samples["value"])
    found = concluded(replace(old, steps=steps, samples=sampled))
    assert {_answer(v) for v in found} == {_answer(v) for v in reference()}


def test_methods_do_not_change_the_window() -> None:
    before = window(WORLD)
    concluded(before)
    pd.testing.assert_frame_equal(before.steps, facts().steps)
    pd.testing.assert_frame_equal(before.samples, facts().samples)


def test_a_digest_is_of_facts_not_of_memory() -> None:
    known = pa.array([True, False, True]).buffers()[1]
    one, other = (
        pa.Array.from_buffers(pa.float64(), 3, [known, pa.py_buffer(np.array([1.0, below, 3.0]))])
        for below in (7.0, 8.0)
    )
    whole, cut = pa.table({"value": one}), pa.table({"value": pa.chunked_array([other[:1], other[1:]])})
    assert digest([whole]) == digest([cut])
    for different in ([1.0, 3.0, None], [1.0, 0.0, 3.0], [1.0, 3.0]):
        assert digest([whole]) != digest([pa.table({"value": pa.array(different, pa.float64())})])


def test_there_is_something_to_compare() -> None:
    assert {v.status for v in reference()} == {Status.SLOW, Status.NORMAL}


def _back(verdict: Verdict, by: timedelta) -> Verdict:
    """Take the shift out of every time of a verdict; its id is drawn from them."""
    values = {field.name: getattr(verdict, field.name) for field in fields(verdict)}
    moved: dict[str, Any] = {name: value - by for name, value in values.items() if isinstance(value, datetime)}
    return replace(verdict, id="", **moved)


def _answer(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.step, verdict.population, verdict.status, tuple(layer.layer for layer in verdict.blamed))
