"""Why was it slow? On demand, for any window."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa

from analysis.conclude import EXPECTATION, worst
from analysis.counting import RULES
from analysis.history import BAD, key
from analysis.job import concluded
from analysis.loading import WEEKS, load_at, rows_in
from analysis.rollup import Hours, summarise
from analysis.settings import AnalysisSettings
from analysis.standing import Read, standing
from analysis.statistics import bounded
from analysis.verdict import identity
from analysis.window import digest
from collector.model.verdict import Reference, Rung, Status, Verdict
from collector.registry import Registry
from collector.store import Slice, Store

LONG = timedelta(hours=6)
LOOKED_AT = 3  # stretches of a long window that are read run by run
HOUR = timedelta(hours=1)
LEVEL = 0.9
SHORT_STRETCH = timedelta(hours=2)
FROM_HOURS = "judged by hourly medians: what lasted less than about half an hour shows only if it was analysed then"


def why(  # noqa: PLR0913  the question has so many parts
    store: Store,
    registry: Registry,
    settings: AnalysisSettings,
    *,
    start: datetime,
    end: datetime,
    against: Reference,
    now: datetime,
) -> list[Verdict]:
    """Say what was slow or failing in ``start`` to ``end``, worst first, and what was normal.

    Windows to 6 hours (1 hour, where very many runs were made) are read run by run. Longer ones stand
    on the hourly roll-up, the verdicts the regular analysis reached, and a look at the worst
    stretches that no verdict covers. What missed its target, or was beaten by another access, in most hours has one
    verdict of the whole window.
    """
    snapshot = store.flush()
    since = start - timedelta(seconds=settings.history_seconds)
    hourly = store.hourly(Slice(start=start - WEEKS, end=end), snapshot=snapshot)
    if end - start <= HOUR or (end - start <= LONG and rows_in(hourly, start, end) <= 2 * settings.history_rows):
        facts = load_at(store, registry, settings, (start, end, since), snapshot, hourly)
        return sorted(concluded(facts, settings, now, (against,)), key=worst)
    hours = summarise(hourly.to_pandas(), start, end, against, settings)
    whole = standing(store, registry, settings, hours, Read(hourly=hourly, snapshot=snapshot, against=against, now=now))
    stands = {key(v) for v in whole}  # what was concluded in between is a part of the same
    known = [v for v in registry.verdicts(start, end, limit=5000) if v.against is against and key(v) not in stands]
    closer = _closer(store, registry, settings, (hourly, snapshot), _uncovered(hours, [*whole, *known]), (against, now))
    told = {v.id for v in known}
    bad = [*whole, *known, *(v for v in closer if v.id not in told and key(v) not in stands)]
    return sorted([*bad, *_rest(hours, bad, (start, end, now), against, hourly, snapshot)], key=worst)


def _uncovered(hours: Sequence[Hours], known: Sequence[Verdict]) -> list[tuple[datetime, datetime]]:
    """Give the worst stretches in which no verdict of the step was reached, joined where they overlap."""
    found = []
    for one in hours:
        mine = [
            v for v in known if (v.journey, v.step, v.population) == (one.key.journey, one.key.step, one.key.population)
        ]
        found += [span for span in one.spans if not any(v.start < span[1] and v.end >= span[0] for v in mine)]
    chosen: list[tuple[datetime, datetime]] = []
    for begin, end, _ in sorted(found, key=lambda span: (-span[2], span[0])):
        if not any(begin < other_end and end > other for other, other_end in chosen):
            chosen.append((begin, end))
    return chosen[:LOOKED_AT]


def _closer(
    store: Store,
    registry: Registry,
    settings: AnalysisSettings,
    source: tuple[pa.Table, int],
    spans: Sequence[tuple[datetime, datetime]],
    how: tuple[Reference, datetime],
) -> list[Verdict]:
    """Read the runs around the beginning of each stretch and conclude from them."""
    hourly, snapshot = source
    against, now = how
    found = []
    for begin, end in spans:
        until = min(end, begin + SHORT_STRETCH)
        facts = load_at(store, registry, settings, (begin - HOUR, until, begin - 2 * HOUR), snapshot, hourly)
        found += [v for v in concluded(facts, settings, now, (against,)) if v.status in BAD and v.end >= begin]
        if end > until:
            note = f"the stretch lasted until {end:%Y-%m-%d %H:%M} UTC; its first hours were looked at run by run"
            found = [replace(v, data_quality=(*v.data_quality, note)) if v.end >= until - HOUR else v for v in found]
    return found


def _rest(
    hours: Sequence[Hours],
    bad: Sequence[Verdict],
    period: tuple[datetime, datetime, datetime],
    against: Reference,
    hourly: pa.Table,
    snapshot: int,
) -> list[Verdict]:
    """Say normal or not enough evidence of what no verdict speaks about."""
    named = {(v.site, v.journey, v.step, v.population, v.environment) for v in bad}
    ground = (snapshot, digest([hourly]))
    return [
        _standing(one, period, against, ground)
        for one in hours
        if (one.key.site, one.key.journey, one.key.step, one.key.population, one.key.environment) not in named
        and not (one.band is None and against is Reference.TARGET)
    ]


def _standing(
    one: Hours, period: tuple[datetime, datetime, datetime], against: Reference, ground: tuple[int, str]
) -> Verdict:
    place, band = one.key, one.band
    start, end, now = period
    known = band is not None and one.median is not None and not one.spans
    unread = f"{len(one.spans)} stretches of bad hours were not looked at run by run"
    population = f"{place.population.link}/{place.population.presentation}"
    return Verdict(
        id=identity(place.site, place.journey, place.step, population, place.environment, against, start.isoformat()),
        site=place.site,
        status=Status.NORMAL if known else Status.NOT_ENOUGH_EVIDENCE,
        against=against,
        rung=band.rung if band else Rung.NONE,
        journey=place.journey,
        step=place.step,
        population=place.population,
        environment=place.environment,
        start=start,
        end=end,
        runs=one.runs,
        censored=one.timeouts,
        measured=bounded(one.median, one.median, one.median, LEVEL) if one.median is not None else None,
        expected=bounded(band.mid, band.low, band.high, LEVEL) if band else None,
        at_least=2 * one.timeouts >= one.runs > 0,
        data_quality=(FROM_HOURS, unread) if one.spans else (FROM_HOURS,),
        methods=(EXPECTATION,),
        counting_rules=RULES.version,
        snapshot=ground[0],
        digest=ground[1],
        reached_at=now,
    )
