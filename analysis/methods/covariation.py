"""Covariation: did a metric that moved go up and down with the step, or does it only stand beside it?

Mathematics. For each metric that moved by the infrastructure's rule and has a quiet time: when it moved against the
step (analysis/onset.py), and how closely its course per interval follows the step's, at lags of -1 to 2 intervals, in
the time after the onset alone (analysis/association.py): what goes along must do so within the episode and at its end,
the jump with which it began counts for nothing. It is ranked among at least 19 negative controls: the metric at other
times, the metrics of places the episode does not go through. Where it is known how many people were at work
(analysis/demand.py), that is taken out of both first. A metric is said to have moved

- ``after``: surely later than the step;
- by ``demand``: it goes along with the people before the onset and after it, its jump taken out; without them at most
  a quarter of that jump is left, and surely less than half; of the step's jump surely more than half is left; and the
  step goes along neither with the people nor, without them, with the metric;
- ``along``: rank at most 5 %, 3.5 standard deviations above the controls, r at least 0.3;
- ``apart``: the step varied, one control in ten or more came as close, and r is surely less than two noisy sightings
  of one and the same course would have.

All else is unsettled.

Limits. Going along is no proof of being the cause: what a fault drives goes along as well. A fault that stays as it
began, or is strictly periodic, gives nothing to go along with. Metrics that did not move are not looked at: among a
hundred of them five go along by chance. A cause whose effect is not in proportion to it (a memory that is full, a
queue that is long) may be found apart: then nobody is named. The findings carry no seconds; what is ``after``,
``demand`` or ``apart`` is taken back (analysis/surroundings.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.association import LEAST_CONTROLS, Association, associations
from analysis.courses import Courses, courses, metric_track, step_track
from analysis.episode import Episode
from analysis.nearby import Moved, nearby
from analysis.onset import Lag, Track, When, lag
from analysis.statistics import Floats
from analysis.units import duration
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse

APART = 0.1
LEAST_INTERVALS = 30  # after the onset
LEFT, SURELY_LEFT = 0.25, 0.5  # of a jump
ONE_SIDED = 1.645  # standard errors at 95 %
CLOCKS = 1.0  # seconds by which clocks may differ without anybody saying so
NOBODY = np.zeros((0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of one metric; ``close`` is None with too few intervals."""

    one: Moved
    lag: Lag
    close: Association | None
    by_demand: bool


class Covariation:
    """See the module."""

    use = MethodUse(name="covariation", version="2")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding for each component of a layer with metrics that moved."""
        near = nearby(window, episode)
        moved = [(one, metric_track(near, one, episode)) for one in near.compared if one.moved]
        tracks = [(one, track) for one, track in moved if track is not None]
        step = step_track(window, episode) if tracks else None
        if step is None:
            return ()
        found = courses(window, episode, step, [track for _, track in tracks], near)
        told: dict[tuple[Layer, str], list[Evidence]] = {}
        for seen in _seen(tracks, step, found, near.skew + CLOCKS):
            evidence = _evidence(seen, episode, varied=found.within.varied)
            told.setdefault((seen.one.layer, seen.one.component), []).append(evidence)
        return [self._finding(layer, component, evidence) for (layer, component), evidence in told.items()]

    def _finding(self, layer: Layer, component: str, told: Sequence[Evidence]) -> Finding:
        against = all(evidence.rule == "covariation.after" for evidence in told)
        state = LayerState.CLEARED if against else LayerState.INCONCLUSIVE
        return Finding(method=self.use, layer=layer, component=component, state=state, evidence=tuple(told))


def _seen(tracks: Sequence[tuple[Moved, Track]], step: Track, found: Courses, skew: float) -> Sequence[_Seen]:
    after = found.within
    enough = len(after.step) >= LEAST_INTERVALS
    close = associations(after.step, after.metrics, after.demand, after.unrelated) if enough else [None] * len(tracks)
    free = enough and len(found.demand) > 0 and _free_of_demand(found)
    return [
        _Seen(
            one=one,
            lag=lag(step, track, skew),
            close=near,
            by_demand=bool(free and near and near.enough and not near.along and _from_demand(course, found)),
        )
        for (one, track), near, course in zip(tracks, close, found.metrics, strict=True)
    ]


def _free_of_demand(found: Courses) -> bool:
    """Say whether the step's jump is surely not the people's, and its course neither."""
    jump, error = _jump(found.step, found)
    followed = associations(found.step, found.demand, found.jump, NOBODY)
    return jump - ONE_SIDED * error >= SURELY_LEFT and all(one.enough and not one.along for one in followed)


def _from_demand(course: Floats, found: Courses) -> bool:
    jump, error = _jump(course, found)
    if jump > LEFT or jump + ONE_SIDED * error > SURELY_LEFT:
        return False
    return any(one.along for one in associations(course, found.demand, found.jump, NOBODY))


def _jump(course: Floats, found: Courses) -> tuple[float, float]:
    """Give the level after the onset less that before, in units of the shift, with demand held equal; and its error."""
    rows = np.vstack([found.jump, found.demand, np.ones(len(course))])
    solved, _, rank, _ = np.linalg.lstsq(rows.T, course, rcond=None)
    left = course - solved @ rows
    variance = float(left @ left) / max(1, len(course) - int(rank))
    return float(solved[0]), float(np.sqrt(variance * max(0.0, np.linalg.pinv(rows @ rows.T)[0, 0])))


def _evidence(seen: _Seen, episode: Episode, *, varied: bool) -> Evidence:
    rule, said = _said(seen, episode.step, varied=varied)
    one = seen.one
    return Evidence(
        rule=f"covariation.{rule}",
        text=f"{one.metric.meaning} on {one.component} {said}",
        supports=rule in ("along", "unsettled"),
        source={"metric": one.metric.name, "component": one.component},
    )


def _said(seen: _Seen, step: str, *, varied: bool) -> tuple[str, str]:
    """Give the rule that applies, and its words."""
    if seen.lag.when is When.AFTER:
        still = duration(seen.lag.gap)
        return "after", f"stood as in quiet time for at least {still} after {step} had slowed: it is no cause of it"
    if seen.by_demand:
        return "demand", f"went with how many people were at work, and {step} did not"
    rule, words = _together(seen.close, step, varied=varied)
    return rule, f"{_moved(seen.lag, step)}{words}"


def _together(close: Association | None, step: str, *, varied: bool) -> tuple[str, str]:
    if close is None:
        return "unsettled", "; there are too few intervals to say whether they go together"
    of = f"of {close.controls} controls {close.as_close or 'none'}"
    if not close.enough:
        few = f"there are {close.controls} controls, {LEAST_CONTROLS} are needed"
        return "unsettled", f"; whether they go together cannot be told: {few}"
    if not varied:
        return "unsettled", f"; {step} then stayed as it was, so whether they go together cannot be told"
    if close.along:
        return "along", f" and rose and fell with it; {of} went along so closely"
    if close.p > APART and close.short:
        return "apart", f" and did not rise and fall with it: {of} came as close"
    return "unsettled", f"; {of} went along as closely: that is not enough to say whether they go together"


def _moved(lag: Lag, step: str) -> str:
    if lag.when is When.BEFORE:
        return f"moved {duration(-lag.seconds)} before {step} slowed (within {duration(lag.uncertainty)})"
    if lag.when is When.WITH:
        return f"moved when {step} slowed (within {duration(lag.uncertainty)})"
    return f"moved, it is not sure when against {step}"


PLUGIN = Covariation()
