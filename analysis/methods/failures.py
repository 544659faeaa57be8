"""Failing steps: who else fails at the same time, and how.

Mathematics. The excess is failures per run. The rate of the best access on another link in the same
time, above its own rate before, is shared; the rest is own. Rates are exact binomial
(Clopper-Pearson), the interval of their difference is built from both (MOVER). What was answered
belongs to one of the server's layers. Of the rest, what is own belongs to this link (or also to the
server's layers, when this access's other steps were walked and do not fail: a link fails them all);
what is shared to the server's layers when another step of the run went well, else to them or the core.
Behind a look at an external link (its good runs have no account but the far end's) and behind a printer (its good runs
have ``spool``) there is no server of ours: the external link, or printing, stands in for the server's layers. A printer
has answered when it said how it is, which the step asks first.

Limits. It does not know which of the server's layers fails; infrastructure may tell, when the runs
timed out and so say how long they waited. Errors that come at once say nothing of that.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.behind import behind
from analysis.counting import RULES
from analysis.episode import Episode
from analysis.pairs import others
from analysis.parts import quiet
from analysis.series import stamp
from analysis.statistics import bounded, rate_interval
from analysis.units import duration
from analysis.window import Window
from collector.model.access import Population, Presentation
from collector.model.layer import Layer
from collector.model.run import Outcome, Phase
from collector.model.verdict import Evidence, Finding, Interval, LayerState, MethodUse, Status

LEAST_RUNS = 5
LEAST_QUIET = 5
SPREAD = 0.25  # of a step's failures, that another step must show for the link to be behind them


class Failures:
    """See the module."""

    use = MethodUse(name="failures", version="3")

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Divide the failures of a failing step by answered or not, own or shared."""
        if episode.status is not Status.FAILING or episode.excess_rate is None:
            return ()
        rows = _during(window, episode, episode.population)
        bad = rows[_bad(rows)]
        far = behind(window, episode)
        answered, well = _reached(window, bad, far)
        excess, best = episode.excess_rate, _best(window, episode, level)
        evidence = _evidence(episode, bad, answered, best)
        remote = episode.population.presentation is not Presentation.LOCAL
        link = (Layer.ACCESS_NETWORK, Layer.REMOTE_SESSION) if remote else (Layer.ACCESS_NETWORK,)
        found: list[tuple[tuple[Layer, ...], Interval]] = [(far, _times(excess, answered))]
        if best is None:
            found.append(((*link, Layer.NETWORK_CORE, *far), _times(excess, 1 - answered)))
        else:
            shared, own = _divided(excess, best[1])
            found.append((far, _times(shared, well)))
            found.append(((Layer.NETWORK_CORE, *far), _times(shared, 1 - answered - well)))
            alone = not _elsewhere(window, episode)
            found.append(((*link, *far) if alone else link, _times(own, 1 - answered)))
        return [self._finding(among, rate, evidence) for among, rate in found]

    def _finding(self, among: tuple[Layer, ...], rate: Interval, evidence: Evidence) -> Finding:
        supports = rate.low > 0
        return Finding(
            method=self.use,
            layer=among[0],
            state=LayerState.BLAMED if len(among) == 1 and supports else LayerState.INCONCLUSIVE,
            seconds=rate,
            among=among,
            evidence=(replace(evidence, supports=supports),),
        )


def _evidence(
    episode: Episode, bad: pd.DataFrame, answered: float, best: tuple[Population, Interval] | None
) -> Evidence:
    """Say it in words, and how long failing runs waited when most of them ran into their time limit."""
    waited = bad.loc[bad["outcome"] == str(Outcome.TIMEOUT), "seconds"].dropna()
    timed, text = 2 * len(waited) >= len(bad) > 0, _words(episode, bad, answered, best)
    usual = episode.expected.estimate if episode.expected else None
    return Evidence(
        rule="failures.contrast",
        text=f"{text}; those that timed out had waited {duration(float(waited.median()))}" if timed else text,
        supports=False,
        source={"step": episode.step, "population": str(episode.population), "column": "outcome"},
        unit="s" if timed else None,
        before=usual if timed else None,
        during=float(waited.median()) if timed else None,
        runs=episode.runs,
    )


def _divided(excess: Interval, other: Interval) -> tuple[Interval, Interval]:
    """Give what another access has of the excess as well, and what it has not."""
    estimate, low, high = (min(excess.estimate, max(0.0, v)) for v in (other.estimate, other.low, other.high))
    shared = bounded(estimate, low, high, excess.level)
    own = excess.estimate - shared.estimate
    low = own - math.hypot(excess.estimate - excess.low, shared.high - shared.estimate)
    high = own + math.hypot(excess.high - excess.estimate, shared.estimate - shared.low)
    return shared, bounded(own, max(0.0, low), high, excess.level)


def _elsewhere(window: Window, episode: Episode) -> bool:
    """Say whether other steps of this access fail as well, at least a quarter as often, or none was walked."""
    steps = {str(step) for step in window.steps.loc[window.steps["journey"] == episode.journey, "step"].unique()}
    mine = _during(window, episode, episode.population)
    least = SPREAD * float(_bad(mine).mean())
    rest = [_during(window, replace(episode, step=step), episode.population) for step in sorted(steps - {episode.step})]
    walked = [rows for rows in rest if len(rows) >= LEAST_RUNS]
    return not walked or any(float(_bad(rows).mean()) >= least for rows in walked)


def _reached(window: Window, bad: pd.DataFrame, far: tuple[Layer, ...]) -> tuple[float, float]:
    """Give the shares of bad runs that were answered, and that were not but did well in another step."""
    if bad.empty:
        return 0.0, 0.0
    steps = window.steps
    measured = steps["outcome"].isin([str(outcome) for outcome in RULES.measured])
    well = set(steps.loc[measured & steps["run_id"].isin(bad["run_id"]), "run_id"])
    answered = bad["http_status"].notna()
    if far == (Layer.PRINTING,):
        answered |= bad[str(Phase.PROCESSING)].notna()
    return float(answered.mean()), float((~answered & bad["run_id"].isin(well)).mean())


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
    """Give the least failing access on another link, with its excess rate; a local one for a local one, if there is."""
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
    if episode.population.presentation is Presentation.LOCAL:
        found = [pair for pair in found if pair[0].presentation is Presentation.LOCAL] or found
    return min(found, key=lambda pair: (pair[1].estimate, pair[0]), default=None)


def _times(rate: Interval, share: float) -> Interval:
    return bounded(rate.estimate * share, rate.low * share, rate.high * share, rate.level)


def _words(episode: Episode, bad: pd.DataFrame, answered: float, best: tuple[Population, Interval] | None) -> str:
    kinds = bad["error_kind"].fillna(bad["outcome"].astype(str)).value_counts().sort_index()
    named = ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
    text = (
        f"{len(bad)} of {episode.runs} runs by {episode.population} failed ({named}), "
        f"{100 * answered:.0f} % of them with an answer from the service"
    )
    if best is None:
        return f"{text}; no other link ran the step at the time"
    population, rate = best
    return f"{text}; by {population} {100 * max(0.0, rate.estimate):.0f} % more than before failed at the same time"


PLUGIN = Failures()
