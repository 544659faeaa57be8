"""Failing steps: who else fails at the same time, and how.

Mathematics. The excess is failures per run. The rate of the best access on another link in the same
time, above its own rate before, is shared; the rest is own and belongs to this link. Intervals are
exact binomial (Clopper-Pearson). A run that reached the service - the failing step was answered, or
another step of the run went well - did not fail for its network: it belongs to one of the server's
layers. Of the others, what is shared belongs to the core or to them, what is own to the link.

Limits. It does not know which of the server's layers fails; infrastructure may tell.
"""

from collections.abc import Sequence

import pandas as pd

from analysis.counting import RULES
from analysis.episode import Episode
from analysis.pairs import others
from analysis.parts import quiet
from analysis.series import stamp
from analysis.statistics import bounded, rate_interval
from analysis.window import Window
from collector.model.access import Population, Presentation
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, Interval, LayerState, MethodUse, Status

LEAST_RUNS = 5
LEAST_QUIET = 5
SERVER = (Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION, Layer.DATABASE, Layer.STORAGE)


class Failures:
    """See the module."""

    use = MethodUse(name="failures", version="1")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Divide the failures of a failing step by answered or not, own or shared."""
        if episode.status is not Status.FAILING or episode.excess_rate is None:
            return ()
        rows = _during(window, episode, episode.population)
        bad = rows[_bad(rows)]
        answered = _reached(window, bad)
        excess = episode.excess_rate
        best = _best(window, episode, level)
        words = _words(episode, bad, answered, best)
        found = [self._finding(SERVER, _times(excess, answered), words, episode)]
        silent = _times(excess, 1 - answered)
        remote = episode.population.presentation is not Presentation.LOCAL
        link = (Layer.ACCESS_NETWORK, Layer.REMOTE_SESSION) if remote else (Layer.ACCESS_NETWORK,)
        if best is None:
            return [*found, self._finding((*link, Layer.NETWORK_CORE, *SERVER), silent, words, episode)]
        _, rate = best
        shared = min(1.0, max(0.0, rate.estimate) / excess.estimate) if excess.estimate > 0 else 0.0
        found.append(self._finding((Layer.NETWORK_CORE, *SERVER), _times(silent, shared), words, episode))
        found.append(self._finding(link, _times(silent, 1 - shared), words, episode))
        return found

    def _finding(self, among: tuple[Layer, ...], rate: Interval, text: str, episode: Episode) -> Finding:
        evidence = Evidence(
            rule="failures.contrast",
            text=text,
            supports=rate.low > 0,
            source={"step": episode.step, "population": str(episode.population), "column": "outcome"},
            runs=episode.runs,
        )
        state = LayerState.BLAMED if len(among) == 1 and rate.low > 0 else LayerState.INCONCLUSIVE
        return Finding(method=self.use, layer=among[0], state=state, seconds=rate, among=among, evidence=(evidence,))


def _reached(window: Window, bad: pd.DataFrame) -> float:
    """Give the share of bad runs that did reach the service: an answer came, or another step went well."""
    if bad.empty:
        return 0.0
    steps = window.steps
    measured = steps["outcome"].isin([str(outcome) for outcome in RULES.measured])
    well = set(steps.loc[measured & steps["run_id"].isin(bad["run_id"]), "run_id"])
    return float((bad["http_status"].notna() | bad["run_id"].isin(well)).mean())


def _during(window: Window, episode: Episode, population: Population) -> pd.DataFrame:
    rows = _rows(window, episode, population)
    return rows[(rows["slot"] >= stamp(episode.start)) & (rows["slot"] <= stamp(episode.end))]


def _rows(window: Window, episode: Episode, population: Population) -> pd.DataFrame:
    steps = window.steps
    same = (steps["step"] == episode.step) & (steps["journey"] == episode.journey) & (steps["site"] == episode.site)
    same &= (steps["link"] == str(population.link)) & (steps["presentation"] == str(population.presentation))
    same &= ~steps["outcome"].isin([str(outcome) for outcome in RULES.left_out])
    return steps[same & (steps["environment"] == episode.environment)]


def _bad(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["outcome"].isin([str(outcome) for outcome in RULES.bad])


def _best(window: Window, episode: Episode, level: float) -> tuple[Population, Interval] | None:
    """Give the least failing access on another link, with its excess rate."""
    found = []
    for population in others(window, episode):
        rows = _during(window, episode, population)
        if population.link is episode.population.link or len(rows) < LEAST_RUNS:
            continue
        every = _rows(window, episode, population)
        before = every[quiet(every["slot"], episode)]
        usual = float(_bad(before).mean()) if len(before) >= LEAST_QUIET else 0.0
        rate = rate_interval(int(_bad(rows).sum()), len(rows), level)
        excess = bounded(rate.estimate - usual, rate.low - usual, rate.high - usual, level)
        found.append((population, excess))
    return min(found, key=lambda pair: (pair[1].estimate, pair[0]), default=None)


def _times(rate: Interval, share: float) -> Interval:
    return bounded(rate.estimate * share, rate.low * share, rate.high * share, rate.level)


def _words(episode: Episode, bad: pd.DataFrame, answered: float, best: tuple[Population, Interval] | None) -> str:
    kinds = bad["error_kind"].fillna(bad["outcome"].astype(str)).value_counts().sort_index()
    named = ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
    text = (
        f"{len(bad)} of {episode.runs} runs over {episode.population} failed ({named}), "
        f"{answered:.0%} of them reached the service"
    )
    if best is None:
        return f"{text}; no other link ran the step at the time"
    population, rate = best
    return f"{text}; over {population} {max(0.0, rate.estimate):.0%} more than before failed at the same time"


PLUGIN = Failures()
