"""What the faults really cost, from the runs stored: mean seconds of each step with them on minus off.

That is the truth which the shares of a verdict are held against. It knows when what was injected; the
analysis does not.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist, fmean, variance

from analysis.statistics import bounded
from collector.model.access import Link, Population, Presentation
from collector.model.verdict import Interval
from collector.store import Slice
from deploy.lab.site import Site
from deploy.lab.span import Span
from deploy.lab.trials.injector import Injected
from deploy.lab.trials.trial import Trial

LEVEL = 0.9
_MOST_OFF = 60  # the latest so many quiet runs: what is usual drifts
_COLUMNS = ("slot", "link", "presentation", "journey", "step", "outcome", "seconds", "censored")


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One step for one population."""

    journey: str
    step: str
    population: Population


@dataclass(frozen=True, slots=True)
class Run:
    """One step of one run; ``seconds`` is None when it was not measured in full."""

    slot: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """How much longer a step took with faults on. ``seconds`` is None with fewer than 3 runs on either side.

    ``unmeasured`` of the runs with them on failed or timed out: the excess does not hold them.
    """

    step: Step
    on: int
    off: int
    unmeasured: int
    seconds: Interval | None


Runs = Mapping[Step, Sequence[Run]]


def runs_of(site: Site, since: datetime) -> Runs:
    """Read all steps since then from the collector's store, by slot."""
    with closing(site.store()) as store:
        end = datetime.now(UTC) + timedelta(minutes=1)
        table = store.scan("steps", Slice(start=since, end=end), columns=_COLUMNS)
    found: dict[Step, list[Run]] = {}
    for row in table.to_pylist():
        population = Population(link=Link(row["link"]), presentation=Presentation(row["presentation"]))
        whole = row["outcome"] in {"ok", "slow"} and not row["censored"]
        run = Run(row["slot"].replace(tzinfo=UTC), row["seconds"] if whole else None)
        found.setdefault(Step(row["journey"], row["step"], population), []).append(run)
    return {step: sorted(runs, key=lambda run: run.slot) for step, runs in found.items()}


def measured(runs: Runs, trial: Trial) -> list[Excess]:
    """Give the excess of every step while any fault that somebody is to blame for was on."""
    on = while_on(trial.injected)
    return [_excess(step, some, on, _off(trial)) for step, some in sorted(runs.items())]


def caused(runs: Sequence[Run], trial: Trial, who: Sequence[Injected], window: Span | None) -> Interval | None:
    """Give the seconds that faults caused in a step, in the runs of ``window``; without it, while each was made alone.

    None with fewer than 3 runs on either side.
    """
    if window is None:
        alone = [one.alone for one in who if one.alone is not None]
        values = _seconds(runs, lambda slot: any(span.holds(slot) for span in alone))
    else:
        on = while_on(who)
        values = _seconds(runs, lambda slot: on(slot) and window.holds(slot))
    return difference(values, _seconds(runs, _off(trial))[-_MOST_OFF:])


def while_on(injected: Iterable[Injected]) -> Callable[[datetime], bool]:
    """Say of a moment whether any of these faults that somebody is to blame for was on, before each was made alone."""
    guilty = [one for one in injected if one.truth is not None]
    spans = [span for one in guilty for span in one.spans if span is not one.alone]
    return lambda slot: any(span.holds(slot) for span in spans)


def difference(on: Sequence[float], off: Sequence[float]) -> Interval | None:
    """Give the difference of two means with Welch's interval; None with fewer than 3 values on either side."""
    if min(len(on), len(off)) < 3:
        return None
    parts = [variance(values) / len(values) for values in (on, off)]
    total = sum(parts)
    sizes = zip(parts, (len(on), len(off)), strict=True)
    free = total**2 / sum(part**2 / (size - 1) for part, size in sizes) if total > 0 else 1e9
    width = _student(free) * math.sqrt(total)
    middle = fmean(on) - fmean(off)
    return bounded(middle, middle - width, middle + width, LEVEL)


def _student(free: float) -> float:
    """Give Student's quantile for ``free`` degrees of freedom, at least 2, within 2 % (Cornish and Fisher)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / free + second / free**2 + third / free**3


def _excess(step: Step, runs: Sequence[Run], on: Callable[[datetime], bool], off: Callable[[datetime], bool]) -> Excess:
    with_fault, without = _seconds(runs, on), _seconds(runs, off)[-_MOST_OFF:]
    unmeasured = sum(on(run.slot) and run.seconds is None for run in runs)
    seconds = difference(with_fault, without)
    return Excess(step=step, on=len(with_fault), off=len(without), unmeasured=unmeasured, seconds=seconds)


def _off(trial: Trial) -> Callable[[datetime], bool]:
    return lambda slot: any(span.holds(slot) for span in trial.off)


def _seconds(runs: Iterable[Run], when: Callable[[datetime], bool]) -> list[float]:
    return [run.seconds for run in runs if run.seconds is not None and when(run.slot)]
