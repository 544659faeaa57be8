"""Infrastructure beside the journey: did a layer's own measures move when the step got slow?

Mathematics. Per component and metric of the catalogue with a direction, the median of the samples
in the episode is held against the median of the quiet time. A metric moved when the difference is
at least the catalogue's ``minimum_shift`` and the median during lies outside the quiet samples' 95 %
quantile (5 % for metrics that fall). Without quiet time it moved when it stands at 4 times the
minimum shift. A latency, or a count of who waits, has moved as well when it stood still now and then, which no median
sees: when more samples of the episode lie above all n of the quiet time, by the minimum shift, than chance allows
(exact binomial with 2 / (n + 1) each, below 0.001, at least 3), where n is at least 20; means are then told in place of
medians. Of fewer, the mean is told and does not count as moved.

Limits. That a measure moved is never a part of the excess by itself: the findings carry no seconds.
Neutral metrics (memory in use, bytes moved) never count. Layers nobody sampled have no finding. Components that
the map of the estate gives to other environments alone are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.contention import of_others
from analysis.episode import Episode
from analysis.parts import quiet
from analysis.series import stamp
from analysis.statistics import Floats, Places, grouped, needed
from analysis.units import quantity
from analysis.window import Window
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.metric import Direction, Metric
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse

LEAST_SAMPLES = 2
LEAST_QUIET = 5
ABSOLUTE = 4.0
LEAST_TAIL_QUIET = 20
LEAST_TAIL = 3
FALSE_ALARM = 0.001
FAR = "far"  # in the source of an evidence: how many readings were far above the usual
WAITS = {"s", "{statement}"}  # units in which a standstill shows


class Infrastructure:
    """See the module."""

    use = MethodUse(name="infrastructure", version="3")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding per sampled layer and component: blamed when it moved, else cleared."""
        found: dict[tuple[Layer, str], list[Evidence]] = {}
        for layer, component, evidence in _compared(*_relevant(window, episode), episode):
            found.setdefault((layer, component), []).append(evidence)
        findings = [self._finding(where, what, told) for (where, what), told in found.items()]
        return [*findings, *self._release(window, episode)]

    def _finding(self, layer: Layer, component: str, told: Sequence[Evidence]) -> Finding:
        moved = any(evidence.supports for evidence in told)
        state = LayerState.BLAMED if moved else LayerState.CLEARED
        return Finding(method=self.use, layer=layer, component=component, state=state, evidence=tuple(told))

    def _release(self, window: Window, episode: Episode) -> Sequence[Finding]:
        """Say so when the application's release is another one than in the quiet time."""
        steps = window.steps
        here = (steps["site"] == episode.site) & (steps["environment"] == episode.environment)
        rows = steps[here & (steps["journey"] == episode.journey) & steps["release"].notna()]
        during = rows[(rows["slot"] >= stamp(episode.start)) & (rows["slot"] <= stamp(episode.end))]
        before = set(rows.loc[quiet(rows["slot"], episode), "release"].unique())
        new = sorted(set(during["release"].unique()) - before)
        if not before or not new:
            return ()
        text = f"release {', '.join(new)} is running; in the quiet time before it was {', '.join(sorted(before))}"
        evidence = Evidence(rule="infrastructure.release", text=text, supports=True, source={"column": "release"})
        return [
            Finding(
                method=self.use,
                layer=Layer.APPLICATION,
                component=f"release {new[-1]}",
                state=LayerState.INCONCLUSIVE,
                evidence=(evidence,),
            )
        ]


def _relevant(window: Window, episode: Episode) -> tuple[pd.DataFrame, Places]:
    """Give the samples that may speak of the episode, and the rows at which another metric begins."""
    names = [name for name, metric in CATALOGUE.items() if metric.direction is not Direction.NEUTRAL]
    samples, steps = window.samples, window.steps
    mine = (steps["link"] == str(episode.population.link)) & (
        steps["presentation"] == str(episode.population.presentation)
    )
    elsewhere = set(steps["endpoint"].unique()) - set(steps.loc[mine, "endpoint"].unique())
    seen = samples["component"].astype("category")
    known = seen.cat.categories
    elsewhere |= of_others(window.estate, episode, known)
    away = [name for name in known if name in elsewhere or name.rpartition(".")[0] in elsewhere]  # ENDPOINT.STATION
    here = (samples["site"] == episode.site) & samples["metric"].isin(names) & ~seen.isin(away)
    rows = samples.loc[here, ["layer", "component", "metric", "at", "value"]]
    numbers = rows.groupby(["layer", "component", "metric"], sort=True, observed=True).ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    return rows.take(order), np.flatnonzero(np.diff(numbers[order], prepend=-1))


def _compared(rows: pd.DataFrame, begins: Places, episode: Episode) -> Iterator[tuple[Layer, str, Evidence]]:
    """Hold each metric of each component against its quiet time, all of them at once."""
    count = len(begins)
    groups = np.repeat(np.arange(count), np.diff(begins, append=len(rows)))
    inside = ((rows["at"] >= stamp(episode.start)) & (rows["at"] <= stamp(episode.end))).to_numpy(dtype=bool)
    calm, values = quiet(rows["at"], episode).to_numpy(dtype=bool), rows["value"].to_numpy(dtype=float)
    during = grouped(values[inside], groups[inside], count)
    before = grouped(values[calm], groups[calm], count)
    now, then, low, high = during.quantile(0.5), before.quantile(0.5), before.quantile(0.05), before.quantile(0.95)
    whose = rows[["layer", "component", "metric"]].take(begins).astype(str)
    for group, (layer, component, name) in enumerate(whose.itertuples(index=False)):
        metric = CATALOGUE[name]
        if during.counts[group] < LEAST_SAMPLES:
            continue
        usual = None
        if before.counts[group] >= LEAST_QUIET:
            edge = low[group] if metric.direction is Direction.DOWN else high[group]
            usual = float(then[group]), float(edge)
        evidence = _evidence(metric, component, float(now[group]), usual)
        if usual is not None and not evidence.supports:
            evidence = _standstills(metric, evidence, during.of(group), before.of(group), usual[0]) or evidence
        yield Layer(layer), component, evidence


def _standstills(metric: Metric, evidence: Evidence, during: Floats, before: Floats, usual: float) -> Evidence | None:
    """Say of a metric whose median is as ever how often it was far above it; None when it never was.

    It supports when that was too often to be chance. ``during`` and ``before`` are in order of size.
    """
    if metric.direction is not Direction.UP or metric.unit not in WAITS or len(before) < LEAST_TAIL_QUIET:
        return None
    far = (during > before[-1]) & (during >= usual + metric.minimum_shift)
    chance = 2.0 / (len(before) + 1)  # of values of one kind, one in n + 1 is the largest; twice that, to be sure
    count = int(far.sum())
    then, now = float(before.mean()), float(during.mean())
    if count == 0 or now - then < metric.minimum_shift:
        return None
    where = evidence.source["component"]
    text = f"{metric.meaning} on {where}: {quantity(then, metric.unit)} before and {quantity(now, metric.unit)} during"
    return replace(
        evidence,
        text=f"{text} on average, far above the usual in {count} of {len(during)} readings",
        source={**evidence.source, FAR: str(count)},
        supports=count >= max(LEAST_TAIL, needed(len(during), chance, FALSE_ALARM)),
        before=then,
        during=now,
    )


def _evidence(metric: Metric, component: str, now: float, usual: tuple[float, float] | None) -> Evidence:
    """Say whether the metric moved; ``usual`` is its median in the quiet time and the edge of its 95 %."""
    sign = -1.0 if metric.direction is Direction.DOWN else 1.0
    if usual is None:
        then, moved = None, sign > 0 and now >= ABSOLUTE * metric.minimum_shift
    else:
        then, edge = usual
        moved = sign * (now - then) >= metric.minimum_shift and sign * now > sign * edge
    return Evidence(
        rule=f"infrastructure.{metric.name}",
        text=_text(metric, component, then, now),
        supports=moved,
        source={"metric": metric.name, "component": component},
        unit=metric.unit,
        before=then,
        during=now,
    )


def _text(metric: Metric, component: str, before: float | None, during: float) -> str:
    unit = "%" if metric.unit == "1" and metric.meaning.startswith("share") else metric.unit
    now = quantity(during, unit)
    if before is None:
        return f"{metric.meaning} on {component}: {now}, with no quiet time to compare with"
    return f"{metric.meaning} on {component}: {quantity(before, unit)} before and {now} during"


PLUGIN = Infrastructure()
