"""The shares a verdict states, held against what the faults really caused. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analysis.statistics import bounded
from collector.model.layer import Layer
from collector.model.verdict import Interval, LayerVerdict, Verdict
from deploy.lab.span import Span
from deploy.lab.trials.excess import LEVEL, Run, Runs, Step, caused
from deploy.lab.trials.injector import Injected
from deploy.lab.trials.trial import Trial

_WORTH_NAMING = 0.1
_LAST = timedelta(milliseconds=1)  # the run that a verdict ends with is one of its runs


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldShare:
    """One layer's stated share of a verdict's excess and the true one.

    ``truth`` is 1 where no other fault acts on the runs of the verdict. Where several do, it is the seconds that those
    of the layer cost when they were made alone, over what all cost in the runs of the verdict; None when that was not
    measured. ``excess`` is the latter, in seconds. ``when``: the verdicts that the scenario was judged by (``first``),
    or what became of them after some more runs (``held``).
    """

    when: str
    verdict: Verdict
    layer: LayerVerdict
    truth: Interval | None
    excess: Interval | None

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
    excess = measured_excess(verdict, runs, trial)
    for layer in verdict.layers:
        mine = [one for one in acting if one.fault.truth is layer.layer]
        truth = _truth(verdict, runs, trial, acting, mine) if mine else _nothing(layer, verdict)
        if layer in verdict.blamed or (truth is not None and truth.estimate >= _WORTH_NAMING):
            yield HeldShare(when=when, verdict=verdict, layer=layer, truth=truth, excess=excess)


def _acts(one: Injected, verdict: Verdict) -> bool:
    return one.truth is not None and one.truth.link in {None, verdict.population.link}


def _truth(
    verdict: Verdict, runs: Sequence[Run], trial: Trial, acting: Sequence[Injected], mine: Sequence[Injected]
) -> Interval | None:
    if len(mine) == len(acting):
        return bounded(1.0, 1.0, 1.0, LEVEL)  # nothing else was done to these runs
    # While several act on the step, what each causes shows only when it is made alone.
    seconds, together = caused(runs, trial, mine, None), measured_excess(verdict, runs, trial)
    if seconds is None or together is None or together.estimate <= 0:
        return None
    low, estimate, high = (
        min(1.0, max(0.0, value / together.estimate)) for value in (seconds.low, seconds.estimate, seconds.high)
    )
    return bounded(estimate, low, high, LEVEL)


def measured_excess(verdict: Verdict, runs: Sequence[Run], trial: Trial) -> Interval | None:
    """Give what the faults together cost in the runs of a verdict; None when too few of them were measured."""
    return caused(runs, trial, trial.injected, Span(verdict.start, verdict.end + _LAST))


def _nothing(layer: LayerVerdict, verdict: Verdict) -> Interval | None:
    blamed: set[Layer] = {one.layer for one in verdict.blamed}
    return bounded(0.0, 0.0, 0.0, LEVEL) if layer.layer in blamed else None
