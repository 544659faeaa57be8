"""Takes a step apart into parts that add up to it, during an episode and before.

========= ======================================================================================
part      seconds of a run
========= ======================================================================================
resolve   name resolution
connect   connect and TLS
transfer  answer's first byte to its last
wait      processing minus the server's own account of it: the way there and back, and queues
unsplit   processing without such an account; of a timeout, all that no phase accounts for
server_*  the server's own account
path      display of a run that was timed from inside the session too: the way to the screen and back
session   processing of such a run: what the wait took inside the session
render, launch, pixels, ready, display, identity, spool  as measured, but for ``path``
rest      what no phase covers
========= ======================================================================================

A phase that did not happen adds nothing to its run. The parts of one run add up to its duration.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.counting import RULES
from analysis.episode import Episode
from analysis.kept import Kept
from analysis.series import Bools, Times, stamp
from analysis.statistics import SEED, Floats, interval, trimmed_means
from analysis.window import Window
from collector.model.access import Population
from collector.model.run import Outcome, Phase
from collector.model.verdict import Interval
from collector.server_account import SPANS

ACCOUNT = [str(phase) for phase in Phase if phase.startswith("server_")]
OUTSIDE = [str(phase) for phase in Phase if str(phase) not in ACCOUNT]
AS_MEASURED = ("render", "launch", "pixels", "ready", "display", "identity", "spool")
PARTS = ("resolve", "connect", "transfer", "wait", "unsplit", "path", "session", *ACCOUNT, *AS_MEASURED, "rest")
# What comes and goes over the network: a contrast divides it between the way there and what lies behind.
ON_THE_WAY = ("resolve", "connect", "transfer", "wait", "unsplit", "display", "path", "identity")
READ = ("slot", "outcome", "seconds", SPANS)  # of a row, beside its phases
LEAST_QUIET = 8
TOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Timed runs taken apart: ``slots``, ``seconds``, and ``parts`` (runs × PARTS, seconds)."""

    slots: Times
    seconds: Floats
    parts: Floats

    def __len__(self) -> int:
        """Give how many runs there are."""
        return len(self.slots)

    def where(self, chosen: Bools) -> "Runs":
        """Give some of the runs."""
        return Runs(slots=self.slots[chosen], seconds=self.seconds[chosen], parts=self.parts[chosen])

    def of(self, part: str) -> Floats:
        """Give the seconds of one part."""
        return np.asarray(self.parts[:, PARTS.index(part)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Runs during the episode and in the quiet time; ``quiet`` is empty when there is none."""

    during: Runs
    quiet: Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Mean seconds per part and run: before, during, and draws of the difference (RESAMPLES × PARTS)."""

    before: Floats
    during: Floats
    draws: Floats
    level: float
    runs: int

    def of(self, *parts: str) -> Interval:
        """Give the excess of some parts together."""
        columns = [PARTS.index(part) for part in parts]
        estimate = float((self.during - self.before)[columns].sum())
        return interval(estimate, self.draws[:, columns].sum(axis=1), self.level)

    def levels(self, *parts: str) -> tuple[float, float]:
        """Give mean seconds per run before and during."""
        columns = [PARTS.index(part) for part in parts]
        return float(self.before[columns].sum()), float(self.during[columns].sum())


def sides(window: Window, episode: Episode, population: Population | None = None) -> Sides:
    """Take apart the runs of the episode's step, or those of another access at the same times."""
    runs = _taken_apart(window, episode, population or episode.population)
    inside = _inside(runs, episode)
    if episode.standstill is not None and population is None:
        inside &= runs.seconds > episode.standstill
    if episode.vantage is not None and population is None:
        best = _taken_apart(window, episode, episode.vantage)
        return Sides(during=runs.where(inside), quiet=best.where(_inside(best, episode)))
    return Sides(during=runs.where(inside), quiet=runs.where(_quiet(runs.slots, episode)))


_TAKEN_APART: Kept[Runs] = Kept()


def _taken_apart(window: Window, episode: Episode, population: Population) -> Runs:
    """Take apart all runs of the episode's step by an access."""
    asked = (episode.site, episode.environment, episode.journey, episode.step, population)
    return _TAKEN_APART.give(window, asked, lambda: split(_rows(window, episode, population)))


def _inside(runs: Runs, episode: Episode) -> Bools:
    return np.asarray((runs.slots >= stamp(episode.start)) & (runs.slots <= stamp(episode.end)))


def quiet(times: "pd.Series[pd.Timestamp]", episode: Episode) -> "pd.Series[bool]":
    """Say which times lie in the quiet time before the episode."""
    return pd.Series(_quiet(times.to_numpy(dtype="datetime64[us]"), episode), index=times.index)


def _quiet(times: Times, episode: Episode) -> Bools:
    if episode.baseline_start is None or episode.baseline_end is None:
        return np.zeros(len(times), dtype=bool)
    found = (times >= stamp(episode.baseline_start)) & (times < stamp(episode.baseline_end))
    for start, end in episode.excluded:
        found &= ~((times >= stamp(start)) & (times <= stamp(end)))
    return np.asarray(found)


def split(rows: pd.DataFrame) -> Runs:
    """Take each timed run apart.

    A run whose phases, or the server's account, were lost is left out where most have them: it would look like others.
    """
    good = rows["outcome"].isin([str(o) for o in (*RULES.measured, Outcome.TIMEOUT)]) & rows["seconds"].notna()
    rows = rows[good]
    phases = {name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in (*OUTSIDE, *ACCOUNT)}
    took = {name: np.nan_to_num(values) for name, values in phases.items()}
    account = sum((took[name] for name in ACCOUNT), np.zeros(len(rows)))
    told = np.any([~np.isnan(phases[name]) for name in ACCOUNT], axis=0) if len(rows) else np.zeros(0, dtype=bool)
    seconds = rows["seconds"].to_numpy(dtype=float)
    covered = sum((took[name] for name in OUTSIDE), np.zeros(len(rows)))
    late = rows["outcome"].eq(str(Outcome.TIMEOUT)).to_numpy(dtype=bool)
    unmeasured = late | (covered == 0)
    rest = np.maximum(0.0, seconds - np.maximum(covered, account))
    split = ~np.isnan(phases["display"]) & ~np.isnan(phases["processing"])  # only the remote driver measures both
    processing = np.where(split, 0.0, took["processing"])
    columns = {
        "resolve": took["resolve"],
        "connect": took["connect"] + took["tls"],
        "transfer": took["transfer"],
        "wait": np.where(told, np.maximum(0.0, processing - account), 0.0),
        "unsplit": np.where(told, 0.0, processing) + np.where(unmeasured, rest, 0.0),
        "path": np.where(split, took["display"], 0.0),
        "session": np.where(split, took["processing"], 0.0),
        **{name: took[name] for name in (*ACCOUNT, *AS_MEASURED)},
        "display": np.where(split, 0.0, took["display"]),
        "rest": np.where(unmeasured, 0.0, rest),
    }
    slots = rows["slot"].to_numpy(dtype="datetime64[us]")
    runs = Runs(slots=slots, seconds=seconds, parts=np.column_stack([columns[part] for part in PARTS]))
    answered = ~unmeasured & (processing > 0)
    lost = ~late & (covered == 0)
    if answered.any() and told[answered].mean() >= TOLD:
        lost |= answered & ~told
    return runs.where(~lost) if lost.any() and lost.mean() <= 1 - TOLD else runs


def excess(during: Runs, before: Runs, *, level: float) -> Excess | None:
    """Compare two sides: whole runs are trimmed, so that the parts still add up. None with too few runs."""
    if not len(during) or len(before) < LEAST_QUIET:
        return None
    generator = np.random.default_rng(SEED)
    now, now_draws = mean(during, generator)
    then, then_draws = mean(before, generator)
    return Excess(before=then, during=now, draws=now_draws - then_draws, level=level, runs=len(during))


def mean(runs: Runs, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Give the trimmed mean of each part, and draws of it."""
    return trimmed_means(runs.parts, runs.seconds, RULES.trimmed, generator)


def _rows(window: Window, episode: Episode, population: Population) -> pd.DataFrame:
    steps = window.steps
    same = (steps["step"] == episode.step) & (steps["journey"] == episode.journey) & (steps["site"] == episode.site)
    same &= (steps["link"] == str(population.link)) & (steps["presentation"] == str(population.presentation))
    taken = steps.columns.intersection([*READ, *OUTSIDE, *ACCOUNT], sort=False)  # texts would be copied in vain
    return _told(steps.loc[same & (steps["environment"] == episode.environment), taken])


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out runs whose spans are late or were sampled out, unless most are: theirs would look like another part."""
    if SPANS not in rows:
        return rows
    told = rows[SPANS] | rows["outcome"].eq(str(Outcome.TIMEOUT))
    return rows[told] if told.mean() >= TOLD else rows
