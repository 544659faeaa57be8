"""The shares a verdict states, held against what the faults really caused. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analysis.statistics import bounded
from collector.model.layer import Layer
from collector.model.verdict import Interval, LayerVerdict, Verdict
from deploy.lab.excess import Run, Runs, Step, caused
from deploy.lab.injector import Injected
from deploy.lab.span import Span
from deploy.lab.trial import Trial

_WORTH_NAMING = 0.1
_LAST = timedelta(milliseconds=1)  # the run that a verdict ends with is one of its runs


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldShare:
    """One layer's stated share of a verdict's excess and the true one.

    ``truth`` is the seconds that the faults of the layer caused, over the excess of the verdict; None where
    several faults act on the step and none of them was measured alone. ``when``: the verdict that the scenario was
    judged by (``first``), or the same after some more runs (``held``).
    """

    when: str
    verdict: Verdict
    layer: LayerVerdict
    truth: Interval | None

    @property
    def covers(self) -> bool | None:
        """Say whether the stated interval holds the true share, None where that is not known."""
        return None if self.truth is None else self.layer.low <= self.truth.estimate <= self.layer.high


def held_shares(runs: Runs, trial: Trial) -> list[HeldShare]:
    """Hold every blamed layer of the trial's slow verdicts, and every layer with a true share, against the truth."""
    first = {(verdict.id, verdict.version) for verdict in trial.verdicts}
    later = [verdict for verdict in trial.held if (verdict.id, verdict.version) not in first]
    said = [("first", trial.verdicts), ("held", later)]
    return [
        share
        for when, verdicts in said
        for verdict in verdicts
        if verdict.excess_seconds is not None and verdict.excess_seconds.estimate > 0
        for share in _of(when, verdict, runs.get(Step(verdict.journey, verdict.step, verdict.population), ()), trial)
    ]


def _of(when: str, verdict: Verdict, runs: Sequence[Run], trial: Trial) -> Iterator[HeldShare]:
    acting = [one for one in trial.injected if _acts(one, verdict)]
    for layer in verdict.layers:
        mine = [one for one in acting if one.fault.truth is layer.layer]
        truth = _truth(verdict, runs, trial, acting, mine) if mine else _nothing(layer, verdict)
        if layer in verdict.blamed or (truth is not None and truth.estimate >= _WORTH_NAMING):
            yield HeldShare(when=when, verdict=verdict, layer=layer, truth=truth)


def _acts(one: Injected, verdict: Verdict) -> bool:
    return one.truth is not None and one.truth.link in {None, verdict.population.link}


def _truth(
    verdict: Verdict, runs: Sequence[Run], trial: Trial, acting: Sequence[Injected], mine: Sequence[Injected]
) -> Interval | None:
    # While several act on the step, what each causes shows only when it is made alone.
    window = Span(verdict.start, verdict.end + _LAST) if len(mine) == len(acting) else None
    seconds = caused(runs, trial, mine, window)
    excess = verdict.excess_seconds
    if seconds is None or excess is None:
        return None
    low, estimate, high = (
        min(1.0, max(0.0, value / excess.estimate)) for value in (seconds.low, seconds.estimate, seconds.high)
    )
    return bounded(estimate, low, high, seconds.level)


def _nothing(layer: LayerVerdict, verdict: Verdict) -> Interval | None:
    blamed: set[Layer] = {one.layer for one in verdict.blamed}
    return Interval(estimate=0.0, low=0.0, high=0.0) if layer.layer in blamed else None
