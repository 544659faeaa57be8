"""Contention: were the runs slower beside those of another environment that shares a component?

Mathematics. The map of the estate says which components the step's environment shares, with whom, at the time. All
timed runs of the step, the episode's and those before it, are divided into those within 30 s of a run of such an
environment and the others; the difference of their medians has a percentile bootstrap interval.

Limits. Activity is known from runs alone: a load test nobody probes is not seen. Being slow together is no proof that
one slows the other, so the finding carries no seconds and decides nothing: it is shown beside the layers that are
shared. With fewer than 12 runs on either side it says nothing, and the verdict notes that.
"""

from collections.abc import Sequence

import numpy as np

from analysis.contention import Contention as Contended
from analysis.contention import contended
from analysis.episode import Episode
from analysis.units import duration
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, Interval, LayerState, MethodUse, Status


class Contention:
    """See the module."""

    use = MethodUse(name="contention", version="1")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Give one finding for each layer in which something is shared."""
        if episode.status is not Status.SLOW:
            return ()
        found = contended(window, episode, level=level)
        if found is None or found.more is None or not found.active:
            return ()
        layers = dict.fromkeys(one.layer for one in found.shared)
        return [self._finding(layer, found, found.more, episode) for layer in layers]

    def _finding(self, layer: Layer, found: Contended, more: Interval, episode: Episode) -> Finding:
        names = [one.name for one in found.shared if one.layer is layer]
        with_them, without = float(np.median(found.beside)), float(np.median(found.apart))
        evidence = Evidence(
            rule="contention.shared",
            text=f"{' and '.join(found.others)} shares {', '.join(names)} with {episode.environment} and made "
            f"{found.active} runs in this time; the step took {duration(with_them)} beside its runs "
            f"({len(found.beside)} runs) and {duration(without)} apart from them ({len(found.apart)} runs)",
            supports=more.low > 0.0,
            source={"component": ", ".join(names), "environment": ", ".join(found.others)},
            unit="s",
            before=without,
            during=with_them,
            runs=found.active,
        )
        return Finding(method=self.use, layer=layer, state=LayerState.INCONCLUSIVE, evidence=(evidence,))


PLUGIN = Contention()
