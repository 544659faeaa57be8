"""Infrastructure beside the journey: did a layer's own measures move when the step got slow?

Mathematics. Per component and metric of the catalogue with a direction, the median of the samples
in the episode is held against the median of the quiet time. A metric moved when the difference is
at least the catalogue's ``minimum_shift`` and the median during lies outside the quiet samples' 95 %
quantile (5 % for metrics that fall). Without quiet time it moved when it stands at 4 times the
minimum shift.

Limits. That a measure moved is never a part of the excess by itself: the findings carry no seconds.
Neutral metrics (memory in use, bytes moved) never count. Layers nobody sampled have no finding.
"""

from collections.abc import Sequence

import pandas as pd

from analysis.episode import Episode
from analysis.parts import quiet
from analysis.series import stamp
from analysis.units import quantity
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.sample import CATALOGUE, Direction, Metric
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse

LEAST_SAMPLES = 2
LEAST_QUIET = 5
ABSOLUTE = 4.0


class Infrastructure:
    """See the module."""

    use = MethodUse(name="infrastructure", version="1")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding per sampled layer and component: blamed when it moved, else cleared."""
        samples = _relevant(window, episode)
        found: dict[tuple[Layer, str], list[Evidence]] = {}
        for values, rows in samples.groupby(["layer", "component", "metric"], sort=True, observed=True):
            layer, component, name = map(str, values)
            evidence = _compare(rows, CATALOGUE[name], component, episode)
            if evidence is not None:
                found.setdefault((Layer(layer), component), []).append(evidence)
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


def _relevant(window: Window, episode: Episode) -> pd.DataFrame:
    names = [name for name, metric in CATALOGUE.items() if metric.direction is not Direction.NEUTRAL]
    samples = window.samples
    rows = samples[(samples["site"] == episode.site) & samples["metric"].isin(names)]
    steps = window.steps
    mine = (steps["link"] == str(episode.population.link)) & (
        steps["presentation"] == str(episode.population.presentation)
    )
    elsewhere = set(steps["endpoint"].unique()) - set(steps.loc[mine, "endpoint"].unique())
    return rows[~rows["component"].isin(elsewhere)]


def _compare(rows: pd.DataFrame, metric: Metric, component: str, episode: Episode) -> Evidence | None:
    inside = (rows["at"] >= stamp(episode.start)) & (rows["at"] <= stamp(episode.end))
    during, before = rows.loc[inside, "value"], rows.loc[quiet(rows["at"], episode), "value"]
    if len(during) < LEAST_SAMPLES:
        return None
    sign = -1.0 if metric.direction is Direction.DOWN else 1.0
    now = float(during.median())
    if len(before) < LEAST_QUIET:
        then, moved = None, sign > 0 and now >= ABSOLUTE * metric.minimum_shift
    else:
        then = float(before.median())
        edge = float((sign * before).quantile(0.95))
        moved = sign * (now - then) >= metric.minimum_shift and sign * now > edge
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
