"""A simulated world as the analysis reads it: a window, with the roll-up of the weeks before."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.statistics import Floats
from analysis.truth.rows import steps_table
from analysis.truth.telemetry import samples_table
from analysis.truth.walk import Walked, walk
from analysis.truth.world import START, World
from analysis.window import Window, digest, set_apart
from collector import tables

HOUR = 3600.0
RUNS_AN_HOUR = 12  # of the roll-up: one in five minutes
QUANTILES = ("q10", "q50", "q90")


def window(world: World, *, history_days: int = 0) -> Window:
    """Give the world as a window; its roll-up tells of ``history_days`` quiet days before."""
    at = np.arange(0.0, world.seconds, world.every)
    facts = window_of(steps_table(world, at), samples_table(world), world.seconds)
    start = world.begin
    hourly = rolled_up(world, history_days) if history_days else facts.hourly
    return replace(facts, start=start, history_start=start, end=start + timedelta(seconds=world.seconds), hourly=hourly)


def window_of(steps: pa.Table, sampled: pa.Table, seconds: float) -> Window:
    """Build a window from tables in any order of rows."""
    steps = steps.sort_by([(name, "ascending") for name in tables.ORDER["steps"]])
    sampled = sampled.sort_by([(name, "ascending") for name in tables.ORDER["samples"]])
    counted, mixed = set_apart(steps.to_pandas())
    return Window(
        start=START,
        end=START + timedelta(seconds=seconds),
        history_start=START,
        snapshot=1,
        steps=counted,
        mixed=mixed,
        samples=sampled.to_pandas(),
        hourly=pd.DataFrame({name: [] for name in tables.HOURLY.names}),
        changes=(),
        digest=digest([steps, sampled]),
    )


def rolled_up(world: World, days: int) -> pd.DataFrame:
    """Give the hours of so many quiet days before the world begins."""
    hours = 24 * days
    begin = -(hours * HOUR) - world.begin.minute * 60.0 - world.begin.second
    at = begin + np.arange(float(hours * RUNS_AN_HOUR)) * HOUR / RUNS_AN_HOUR
    before = replace(world, faults=(), stalls=(), seed=world.seed + 30_000)
    return hourly_of(before, walk(before, at), at)


def hourly_of(world: World, walked: Sequence[Sequence[Walked]], at: Floats) -> pd.DataFrame:
    """Roll up runs of every five minutes of whole hours: counts and quantiles, but no medians of phases."""
    slots = np.datetime64(tables.naive(world.begin), "us") + (at[::RUNS_AN_HOUR] * 1e6).astype("timedelta64[us]")
    frames = [
        _hours(pd.DatetimeIndex(slots), walked[p][s].seconds.reshape(-1, RUNS_AN_HOUR)).assign(
            step=step, link=str(population.link), presentation=str(population.presentation)
        )
        for p, population in enumerate(world.populations)
        for s, step in enumerate(world.steps)
    ]
    rows = pd.concat(frames, ignore_index=True).assign(site="site-1", journey="case-record", environment="synthetic")
    return rows.reindex(columns=tables.HOURLY.names).sort_values(["hour", *tables.GROUP], ignore_index=True)


def _hours(hour: pd.DatetimeIndex, seconds: Floats) -> pd.DataFrame:
    found = {name: np.quantile(seconds, tables.QUANTILES[name], axis=1) for name in QUANTILES}
    counts = dict.fromkeys(("runs", "measured"), RUNS_AN_HOUR) | dict.fromkeys(("timeouts", "failures"), 0)
    return pd.DataFrame({"hour": hour, **found, **counts})
