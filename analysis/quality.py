"""What a reader must know about the data before the verdict: missing, few, censored, changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.series import Bools, Series, stamp
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.access import Population

FEW_RUNS = 10
GAP_INTERVALS = 5.0
ACCOUNT = ["server_app", "server_db"]
SKEW, DROPPED, MISSED = AGENTS = ("agent.clock.skew", "agent.outbox.dropped", "agent.slots.missed")
SKEW_SECONDS = 1.0  # a clock further off is said; times of two machines are compared to this or worse
NAMED = 3  # endpoints in one note


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """What agents said of themselves in a window, by (site, endpoint): seconds ahead, rows, slots."""

    skewed: Mapping[tuple[str, str], float]
    dropped: Mapping[tuple[str, str], float]
    missed: Mapping[tuple[str, str], float]


def agents(window: Window) -> Agents:
    """Collect clocks that are off, and data that agents know to be missing."""
    samples = window.samples
    inside = (
        samples["metric"].isin(AGENTS) & (samples["at"] >= stamp(window.start)) & (samples["at"] < stamp(window.end))
    )
    found: dict[str, dict[tuple[str, str], float]] = {name: {} for name in AGENTS}
    told = samples.loc[inside, ["site", "component", "metric", "value"]]
    for (site, component, metric), rows in told.groupby(["site", "component", "metric"], sort=True, observed=True):
        value = float(rows["value"].median() if metric == SKEW else rows["value"].sum())
        if abs(value) >= (SKEW_SECONDS if metric == SKEW else 1):
            found[str(metric)][str(site), str(component)] = value
    return Agents(skewed=found[SKEW], dropped=found[DROPPED], missed=found[MISSED])


def notes(
    series: Series,
    inside: Bools,
    others: list[Population],
    window: Window,
    settings: AnalysisSettings,
    heard: Agents,
) -> tuple[str, ...]:
    """Give the notes on the runs ``inside``, the part of ``series`` a verdict speaks about."""
    return (*_notes(series, inside, others, window, settings), *_heard(series, inside, heard))


def _notes(
    series: Series, inside: Bools, others: list[Population], window: Window, settings: AnalysisSettings
) -> Iterator[str]:
    runs, censored = int(inside.sum()), int(series.censored[inside].sum())
    if not settings.seasonal:
        yield "hours of the day and of the week are not learned: the seasonal term is off"
    if runs < FEW_RUNS:
        yield f"only {runs} runs"
    if not others:
        yield "no other access ran this step: own and shared parts cannot be told apart"
    if censored:
        yield f"{censored} of {runs} runs timed out: their durations are lower bounds"
    yield from _left_out(series)
    if runs and not any(series.measures(column, inside) for column in ACCOUNT):
        yield "the application gives no account of its time (Server-Timing): its layers cannot be told apart by phases"
    if len(series.words("journey_hash")) > 1:
        yield "the journey file changed within the data: durations before and after may not compare"
    yield from _gaps(series, window, settings)


def _left_out(series: Series) -> Iterator[str]:
    if series.left_out:
        yield f"{series.left_out} runs left out: the environment or the probe was not ready"
    if series.mixed:
        yield f"{series.mixed} runs left out: their access changed on the way"


def _heard(series: Series, inside: Bools, heard: Agents) -> Iterator[str]:
    places = [(series.key.site, endpoint) for endpoint in series.words("endpoint", inside)]
    skewed = [
        f"{place[1]} {abs(heard.skewed[place]):.3g} s {'ahead' if heard.skewed[place] > 0 else 'behind'}"
        for place in places
        if place in heard.skewed
    ]
    if skewed:
        yield f"clocks differ from the collector's ({_some(skewed)}): what is compared by time may be off by as much"
    missed = [f"{place[1]} {heard.missed[place]:.0f}" for place in places if place in heard.missed]
    if missed:
        yield f"slots in which no run was made ({_some(missed)}): the run before took too long, or the machine slept"
    dropped = [f"{place[1]} {heard.dropped[place]:.0f}" for place in places if place in heard.dropped]
    if dropped:
        yield f"rows that were measured and lost because an agent's outbox was full, or its disk: {_some(dropped)}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _gaps(series: Series, window: Window, settings: AnalysisSettings) -> Iterator[str]:
    recent = np.unique(series.slots[series.between(window.start, window.end)])
    steps = np.diff(recent).astype(float) / 1e6
    if len(steps) > FEW_RUNS and float(steps.max()) > GAP_INTERVALS * float(np.median(steps)):
        yield f"a gap of {steps.max():.0f} s without runs"
    silent = (stamp(window.end) - series.slots[-1]).astype(float) / 1e6 if len(series) else np.inf
    if silent > settings.stale_seconds:
        yield f"no run for {silent:.0f} s"
