"""The regular analysis: what is said now of every step, and the verdicts of episodes."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

from analysis.alerting.job import Alerting
from analysis.alerting.observe import observe
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Seen
from analysis.conclude import conclude, worst
from analysis.history import BAD, carried, oldest_open
from analysis.loading import Facts, load, window
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.verdict import Reference, Verdict
from collector.registry import Registry
from collector.store import Slice, Store

LOOK_BACK = timedelta(minutes=15)
OPEN_LOOK_BACK = timedelta(hours=1)
LONGEST_OPEN = timedelta(hours=48)
_NOTHING = Slice(start=datetime(1970, 1, 1, tzinfo=UTC), end=datetime(1970, 1, 1, tzinfo=UTC))
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def analyse(
    store: Store,
    registry: Registry,
    settings: AnalysisSettings,
    *,
    now: datetime,
    pool: Executor | None = None,
    alerting: Alerting | None = None,
) -> list[Verdict]:
    """Analyse what is new up to ``now``, keep the conclusions, and give them worst first.

    The pure part runs in ``pool``, or here without one. Slow and failing episodes become verdicts,
    whose snapshot the store keeps; everything becomes what is said now. Then ``alerting`` is told.
    """
    back = max(LOOK_BACK, timedelta(seconds=3 * settings.interval_seconds))
    start = now - back
    before = registry.verdicts(start - LONGEST_OPEN, now, limit=5000)
    since = oldest_open(
        before,
        fallback=now - timedelta(seconds=settings.history_seconds),
        lookback=OPEN_LOOK_BACK,
        limit=LONGEST_OPEN,
    )
    facts = load(store, registry, settings, start=start, end=now, since=min(since, start))
    given = (facts, settings, now, alerting.settings if alerting else None)
    found, seen = pool.submit(_thought, *given).result() if pool else _thought(*given)
    verdicts = [carried(verdict, before) if verdict.status in BAD else verdict for verdict in found]
    store.counts("runs", _NOTHING, snapshot=facts.snapshot)  # gone when a site was forgotten meanwhile: nothing is said
    _keep(store, registry, verdicts, before)
    if alerting and seen:
        alerting.conclude(registry, seen, verdicts, facts.changes, now)
    return sorted(verdicts, key=worst)


def concluded(
    facts: Facts, settings: AnalysisSettings, now: datetime, references: Sequence[Reference] = ()
) -> list[Verdict]:
    """Run the pure part in this process, on one thread so that sums come out the same everywhere."""
    return _concluded(_opened(facts), settings, now, references)


def _thought(
    facts: Facts, settings: AnalysisSettings, now: datetime, alerts: AlertSettings | None
) -> tuple[list[Verdict], Seen | None]:
    """Conclude, and see what the same window says to the rules of alerting."""
    opened = _opened(facts)
    verdicts = _concluded(opened, settings, now)
    return verdicts, None if alerts is None else observe(opened, verdicts, alerts, now=now)


def _opened(facts: Facts) -> Window:
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    return window(facts)


def _concluded(
    opened: Window, settings: AnalysisSettings, now: datetime, references: Sequence[Reference] = ()
) -> list[Verdict]:
    if opened.steps.empty:
        return []
    return [v for against in references or settings.references for v in conclude(opened, against, settings, now=now)]


def _keep(store: Store, registry: Registry, verdicts: Sequence[Verdict], before: Sequence[Verdict]) -> None:
    known = {(old.id, old.version) for old in before}
    new = [v for v in verdicts if v.status in BAD and (v.id, v.version) not in known]
    for snapshot in sorted({verdict.snapshot for verdict in new}):
        store.pin(snapshot)
    registry.put_verdicts(new)
    # An episode that has ended stays in the list of verdicts; what is said now is what came after it.
    registry.put_standing([v for v in verdicts if v.status not in BAD or v.open])
