"""The regular analysis: what is said now of every step, and the verdicts of episodes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

from analysis.alerting.job import Alerting
from analysis.alerting.observe import observe
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Seen
from analysis.conclude import conclude, worst
from analysis.history import BAD, carried, key, oldest_open, withdrawn
from analysis.late import Late, look
from analysis.loading import Facts, load, window
from analysis.settings import AnalysisSettings
from analysis.window import Window
from collector.model.verdict import Reference, Status, Verdict
from collector.registry import Registry
from collector.store import Slice, Store

LOOK_BACK = timedelta(minutes=15)
OPEN_LOOK_BACK = timedelta(hours=1)
LONGEST_OPEN = timedelta(hours=48)
_NOTHING = Slice(start=datetime(1970, 1, 1, tzinfo=UTC), end=datetime(1970, 1, 1, tzinfo=UTC))


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
    whose snapshot the store keeps; everything becomes what is said now. Times into which facts came late since are
    judged again first: their verdicts get a new version, or are merged or taken back. Then ``alerting`` is told.
    """
    back = max(LOOK_BACK, timedelta(seconds=3 * settings.interval_seconds))
    start = now - back
    before = _judged_again(store, registry, settings, start=start, now=now, pool=pool)
    since = oldest_open(
        before,
        fallback=now - timedelta(seconds=settings.history_seconds),
        lookback=OPEN_LOOK_BACK,
        limit=LONGEST_OPEN,
    )
    facts = load(store, registry, settings, start=start, end=now, since=min(since, start))
    given = (facts, settings, now, alerting.settings if alerting else None)
    found, seen = pool.submit(_thought, *given).result() if pool else _thought(*given)
    bad = carried([verdict for verdict in found if verdict.status in BAD], before)
    verdicts = [*bad, *(verdict for verdict in found if verdict.status not in BAD)]
    store.counts("runs", _NOTHING, snapshot=facts.snapshot)  # gone when a site was forgotten meanwhile: nothing is said
    _keep(store, registry, bad, before)
    # An episode that has ended stays in the list of verdicts; what is said now is what came after it.
    registry.put_standing([v for v in verdicts if v.status not in BAD or v.open])
    left = sorted((verdict for verdict in verdicts if verdict.merged_into is None), key=worst)
    if alerting and seen:
        alerting.conclude(registry, seen, left, facts.changes, now)
    return left


def _judged_again(
    store: Store,
    registry: Registry,
    settings: AnalysisSettings,
    *,
    start: datetime,
    now: datetime,
    pool: Executor | None,
) -> Sequence[Verdict]:
    """Judge again what late facts fell into; give the verdicts that are known then."""
    late, judged = look(store, registry.judged(), snapshot=store.flush(), start=start, now=now)
    before = registry.verdicts(start - LONGEST_OPEN, now, limit=5000)
    if late is not None:
        mine = [old for old in before if old.start <= late.end and old.end >= late.start]
        begin = min([late.start, *(old.start for old in mine)])
        end = min(now, max([late.end, *(old.end for old in mine)]) + LOOK_BACK)
        history = begin - timedelta(seconds=settings.history_seconds)
        since = min([history, *(old.facts_since for old in mine if old.facts_since)])
        facts = load(store, registry, settings, start=begin, end=end, since=since)
        given = (facts, settings, now)
        found = pool.submit(concluded, *given).result() if pool else concluded(*given)
        bad = carried([one for one in found if one.status in BAD], mine, why=late.words)
        _keep(store, registry, [*bad, *_taken_back(found, bad, mine, late)], before)
        before = registry.verdicts(start - LONGEST_OPEN, now, limit=5000)
    registry.put_judged(judged)
    return before


def _taken_back(
    found: Sequence[Verdict], bad: Sequence[Verdict], mine: Sequence[Verdict], late: Late
) -> Iterator[Verdict]:
    """Take back the episodes that late runs show to have been none: their step is quiet now, or something else is."""
    quiet = {key(one): one for one in found if one.status is Status.NORMAL}
    known = {one.id for one in bad}
    for old in mine:
        if old.id not in known and late.rows.get("runs") and key(old) in quiet:
            yield withdrawn(old, quiet[key(old)], late.words)


def concluded(
    facts: Facts, settings: AnalysisSettings, now: datetime, references: Sequence[Reference] = ()
) -> list[Verdict]:
    """Run the pure part in this process."""
    return _concluded(window(facts), settings, now, references)


def _thought(
    facts: Facts, settings: AnalysisSettings, now: datetime, alerts: AlertSettings | None
) -> tuple[list[Verdict], Seen | None]:
    """Conclude, and see what the same window says to the rules of alerting."""
    opened = window(facts)
    verdicts = _concluded(opened, settings, now)
    return verdicts, None if alerts is None else observe(opened, verdicts, alerts, now=now)


def _concluded(
    opened: Window, settings: AnalysisSettings, now: datetime, references: Sequence[Reference] = ()
) -> list[Verdict]:
    if opened.steps.empty:
        return []
    return [v for against in references or settings.references for v in conclude(opened, against, settings, now=now)]


def _keep(store: Store, registry: Registry, verdicts: Sequence[Verdict], before: Sequence[Verdict]) -> None:
    known = {(old.id, old.version) for old in before}
    new = [v for v in verdicts if (v.id, v.version) not in known]
    for snapshot in sorted({verdict.snapshot for verdict in new if verdict.merged_into is None}):
        store.pin(snapshot)
    registry.put_verdicts(new)
