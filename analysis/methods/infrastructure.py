"""Infrastructure beside the journey: did a layer's own measures move when the step got slow?

Mathematics. Per component and metric of the catalogue with a direction, the median of the samples
in the episode is held against the median of the quiet time, and single readings against all of it where a standstill
would show: analysis/nearby.py says when it moved. Where standstills say so, means are told in place of medians.
A median that fell among values that a probe told as "at least" is told so.

Limits. That a measure moved is never a part of the excess by itself: the findings carry no seconds.
Neutral metrics (memory in use, bytes moved) never count. Layers nobody sampled have no finding. Components that
the map of the estate gives to other environments alone are left out.
"""

from collections.abc import Sequence

from analysis.episode import Episode
from analysis.nearby import Moved, nearby
from analysis.parts import quiet
from analysis.series import stamp
from analysis.units import quantity
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.metric import Metric
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse

FAR = "far"  # in the source of an evidence: how many readings were far above the usual


class Infrastructure:
    """See the module."""

    use = MethodUse(name="infrastructure", version="3")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding per sampled layer and component: blamed when it moved, else cleared."""
        found: dict[tuple[Layer, str], list[Evidence]] = {}
        for one in nearby(window, episode).compared:
            found.setdefault((one.layer, one.component), []).append(_evidence(one))
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


def _evidence(one: Moved) -> Evidence:
    source = {"metric": one.metric.name, "component": one.component}
    before, during = one.before, one.during
    text = _text(one.metric, one.component, before, during, at_least=one.at_least)
    if one.standstills is not None:
        before, during = one.standstills.before, one.standstills.during
        text = _text(one.metric, one.component, before, during)
        text += f" on average, far above the usual in {one.standstills.count} of {one.standstills.of} readings"
        source[FAR] = str(one.standstills.count)
    return Evidence(
        rule=f"infrastructure.{one.metric.name}",
        text=text,
        supports=one.moved,
        source=source,
        unit=one.metric.unit,
        before=before,
        during=during,
    )


def _text(metric: Metric, component: str, before: float | None, during: float, *, at_least: bool = False) -> str:
    unit = "%" if metric.unit == "1" and metric.meaning.startswith("share") else metric.unit
    now = f"{'at least ' if at_least else ''}{quantity(during, unit)}"
    if before is None:
        return f"{metric.meaning} on {component}: {now}, with no quiet time to compare with"
    return f"{metric.meaning} on {component}: {quantity(before, unit)} before and {now} during"


PLUGIN = Infrastructure()
