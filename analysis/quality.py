"""What a reader must know about the data before the verdict: missing, few, censored, changed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.series import Series, stamp
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.access import Population

FEW_RUNS = 10
GAP_INTERVALS = 5.0
ACCOUNT = ["server_app", "server_db"]


def notes(
    series: Series, rows: pd.DataFrame, others: list[Population], window: Window, settings: AnalysisSettings
) -> tuple[str, ...]:
    """Give the notes on ``rows`` of ``series``, the part of it a verdict speaks about."""
    return tuple(_notes(series, rows, others, window, settings))


def _notes(
    series: Series, rows: pd.DataFrame, others: list[Population], window: Window, settings: AnalysisSettings
) -> Iterator[str]:
    if not settings.seasonal:
        yield "hours of the day and of the week are not learned: the seasonal term is off"
    if len(rows) < FEW_RUNS:
        yield f"only {len(rows)} runs"
    if not others:
        yield "no other access ran this step: own and shared parts cannot be told apart"
    censored = int((rows["outcome"] == "timeout").sum())
    if censored:
        yield f"{censored} of {len(rows)} runs timed out: their durations are lower bounds"
    if series.left_out:
        yield f"{series.left_out} runs left out: the environment or the probe was not ready"
    if len(rows) and rows[ACCOUNT].isna().all(axis=None):
        yield "the application gives no account of its time (Server-Timing): its layers cannot be told apart by phases"
    if rows["journey_hash"].nunique() > 1 or series.frame["journey_hash"].nunique() > 1:
        yield "the journey file changed within the data: durations before and after may not compare"
    yield from _gaps(series, window, settings)


def _gaps(series: Series, window: Window, settings: AnalysisSettings) -> Iterator[str]:
    recent = np.unique(series.slots[series.between(window.start, window.end)])
    steps = np.diff(recent).astype(float) / 1e6
    if len(steps) > FEW_RUNS and float(steps.max()) > GAP_INTERVALS * float(np.median(steps)):
        yield f"a gap of {steps.max():.0f} s without runs"
    silent = (stamp(window.end) - series.slots[-1]).astype(float) / 1e6 if len(series) else np.inf
    if silent > settings.stale_seconds:
        yield f"no run for {silent:.0f} s"
