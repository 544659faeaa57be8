"""False verdicts of quiet months of one council (``analysis/truth/month.py``), all synthetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.progress import track

from analysis.conclude import conclude
from analysis.episodes import judge
from analysis.settings import AnalysisSettings
from analysis.truth.month import Month, quiet_month
from analysis.window import Window
from collector.model.verdict import Reference, Status, Verdict

DAYS = 30
SETTINGS = AnalysisSettings()
BAD = (Status.SLOW, Status.FAILING)


@dataclass(slots=True, kw_only=True)
class QuietMonths:
    """How many verdicts were reached in so many months in which nothing was at fault."""

    months: float = 0.0
    verdicts: int = 0
    blamed: int = 0


def look_through(seeds: Sequence[int], days: int = DAYS) -> QuietMonths:
    """Look at the months of these seeds hour by hour, as the regular analysis would."""
    found = QuietMonths()
    for seed in track(seeds, description="quiet months", console=Console(stderr=True)):
        ends: dict[object, datetime] = {}
        month = quiet_month(seed, days)
        for window in month.looks():
            new = [v for v in _slow(month, window) if _is_new(v, ends)]
            found.verdicts += len(new)
            found.blamed += sum(bool(v.blamed) for v in new)
        found.months += days / DAYS
    return found


def _slow(month: Month, window: Window) -> list[Verdict]:
    """Conclude only where the cheaper judgement finds an episode in the hour."""
    judged = judge(window, Reference.EXPECTED, SETTINGS)
    if not any(e.end >= window.start for one in judged for e in one.episodes):
        return []
    found = conclude(month.sampled(window), Reference.EXPECTED, SETTINGS, now=window.end)
    return [verdict for verdict in found if verdict.status in BAD]


def _is_new(verdict: Verdict, ends: dict[object, datetime]) -> bool:
    """Say whether no earlier look at the same step and access had an episode that reaches into this one."""
    key = (verdict.step, verdict.population)
    before = ends.get(key)
    ends[key] = max(verdict.end, before or verdict.end)
    return before is None or verdict.start > before
