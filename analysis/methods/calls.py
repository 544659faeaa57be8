"""Calls: is the database asked more often than before, or does each answer take longer?

Mathematics. A database that tells how many transactions it ended per second and how long the statements of one took
was asked more often when the median rate in the episode is at least twice that of the quiet time and above its 95 %
quantile, while the median transaction takes no longer than before. A statement that got slower raises the second
number and not the first; asking once per row (N+1) raises the first, and mostly lowers the second, since what is asked
so often is small.

Limits. More users ask more often too, so this decides nothing alone: it is held against a release that is new
(analysis/narrowing.py). What a program asks within one transaction is one. It is the whole database that counts, so in
a large one a page that few people open is not seen.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.contention import of_others
from analysis.episode import Episode
from analysis.parts import quiet
from analysis.series import stamp
from analysis.units import duration, quantity
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, LayerState, MethodUse, Status

RATE, MEAN = "db.transactions", "db.transaction.mean"
LEAST_SAMPLES = 3
LEAST_QUIET = 10
MORE = 2.0


class Calls:
    """See the module."""

    use = MethodUse(name="calls", version="1")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:  # noqa: ARG002
        """Give one finding per database that is asked more often; nothing of the others."""
        if episode.status is not Status.SLOW:
            return ()
        samples = window.samples
        rows = samples[(samples["site"] == episode.site) & samples["metric"].isin([RATE, MEAN])]
        away = of_others(window.estate, episode, rows["component"].unique())
        found = []
        for component, told in rows[~rows["component"].isin(away)].groupby("component", sort=True, observed=True):
            found += [self._finding(evidence) for evidence in _asked_more(str(component), told, episode)]
        return found

    def _finding(self, evidence: Evidence) -> Finding:
        return Finding(method=self.use, layer=Layer.APPLICATION, state=LayerState.INCONCLUSIVE, evidence=(evidence,))


def _asked_more(component: str, told: pd.DataFrame, episode: Episode) -> Iterator[Evidence]:
    inside = (told["at"] >= stamp(episode.start)) & (told["at"] <= stamp(episode.end))
    calm = quiet(told["at"], episode)
    sides = [told.loc[told["metric"] == metric] for metric in (RATE, MEAN)]
    (rate, usual_rate), (mean, usual_mean) = (
        (one.loc[inside[one.index], "value"], one.loc[calm[one.index], "value"]) for one in sides
    )
    if min(len(rate), len(mean)) < LEAST_SAMPLES or min(len(usual_rate), len(usual_mean)) < LEAST_QUIET:
        return
    now, before = float(rate.median()), float(usual_rate.median())
    takes, took = float(mean.median()), float(usual_mean.median())
    if now >= MORE * before and now > float(usual_rate.quantile(0.95)) and takes <= took:
        yield Evidence(
            rule="calls.database",
            text=f"transactions of {component}: {quantity(before, '1/s')} before and {quantity(now, '1/s')} during, "
            f"each taking {duration(took)} before and {duration(takes)} during: asked more often, answered no slower",
            supports=True,
            source={"metric": RATE, "component": component},
            unit="1/s",
            before=before,
            during=now,
        )


PLUGIN = Calls()
