"""The ladder: how far along its way the endpoint got, in the time the step was bad, as quickly as ever.

Mathematics. Stations of the path are asked by the endpoints themselves (sampler connect, components ENDPOINT.STATION).
A station was reached as ever when, in the episode, no look at it failed and the upper quartile of its times (of its
loss) is at most the catalogue's ``minimum_shift`` above the median of the quiet time. Then nothing before it delays or
drops: its layer and those nearer to the endpoint are cleared. Each endpoint that ran the step needs such a station;
the nearest of their furthest counts.

Limits. It clears and never blames. A station speaks for the way the step takes only when it stands on it: that is the
word of who configured it. What keeps one kind of traffic back and lets connections through is told rightly as beyond.
"""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from analysis.episode import Episode
from analysis.parts import quiet
from analysis.series import stamp
from analysis.units import quantity
from analysis.window import Window
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse

WAY = (Layer.ACCESS_NETWORK, Layer.NETWORK_CORE)  # nearest first
TIMES = ("network.path.connect", "network.path.roundtrip")
LOOKS = (*TIMES, "network.path.loss", "probe.failed")
LEAST_DURING = 3
LEAST_QUIET = 5
UPPER = 0.75


class Ladder:
    """See the module."""

    use = MethodUse(name="ladder", version="1")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding per layer of the way that was crossed as ever."""
        rows = _looks(window, episode)
        reached: dict[str, tuple[int, Evidence]] = {}
        for component, looks in rows.groupby("component", sort=True, observed=True):
            endpoint, place = str(component).rpartition(".")[0], WAY.index(Layer(str(looks["layer"].iloc[0])))
            evidence = _well(str(component), looks, episode)
            if evidence is not None and place >= reached.get(endpoint, (-1, None))[0]:
                reached[endpoint] = place, evidence
        endpoints = _endpoints(window, episode)
        if not endpoints or endpoints - set(reached):
            return ()
        nearest, evidence = min((reached[endpoint] for endpoint in sorted(endpoints)), key=lambda one: one[0])
        return [
            Finding(method=self.use, layer=layer, state=LayerState.CLEARED, evidence=(evidence,))
            for layer in WAY[: nearest + 1]
        ]


def _endpoints(window: Window, episode: Episode) -> set[str]:
    steps, population = window.steps, episode.population
    mine = (steps["site"] == episode.site) & (steps["journey"] == episode.journey) & (steps["step"] == episode.step)
    mine &= (steps["link"] == str(population.link)) & (steps["presentation"] == str(population.presentation))
    mine &= (steps["slot"] >= stamp(episode.start)) & (steps["slot"] <= stamp(episode.end))
    return {str(name) for name in steps.loc[mine, "endpoint"].unique()}


def _looks(window: Window, episode: Episode) -> pd.DataFrame:
    """Give what the episode's endpoints saw of their stations, without the time before and between."""
    samples = window.samples
    here = (samples["site"] == episode.site) & samples["metric"].isin(LOOKS)
    rows = samples[here & samples["layer"].isin([str(layer) for layer in WAY])]
    during = (rows["at"] >= stamp(episode.start)) & (rows["at"] <= stamp(episode.end))
    return rows.assign(during=during, calm=quiet(rows["at"], episode))


def _well(component: str, looks: pd.DataFrame, episode: Episode) -> Evidence | None:
    """Say that a station was reached as ever; None when it was not, or too few looks tell."""
    found = dict(_levels(looks))
    timed = next((name for name in TIMES if name in found), None)
    if timed is None or "probe.failed" not in found or any(_moved(name, *levels) for name, levels in found.items()):
        return None
    before, during = found[timed]
    return Evidence(
        rule="ladder.reached",
        text=f"the station {component} was reached as ever: {quantity(before, 's')} before and "
        f"{quantity(during, 's')} during",
        supports=False,
        source={"metric": timed, "component": component, "step": episode.step},
        unit="s",
        before=before,
        during=during,
    )


def _levels(looks: pd.DataFrame) -> Iterator[tuple[str, tuple[float, float]]]:
    """Give median before and upper quartile during, per metric that has enough of both; a failure counts in full."""
    by_metric: Mapping[str, pd.DataFrame] = {str(name): rows for name, rows in looks.groupby("metric", sort=True)}
    for name, rows in by_metric.items():
        during, before = rows.loc[rows["during"], "value"], rows.loc[rows["calm"], "value"]
        if len(during) >= LEAST_DURING and len(before) >= LEAST_QUIET:
            upper = during.max() if name == "probe.failed" else during.quantile(UPPER)
            yield name, (float(before.median()), float(upper))


def _moved(name: str, before: float, during: float) -> bool:
    return during - before > CATALOGUE[name].minimum_shift


PLUGIN = Ladder()
