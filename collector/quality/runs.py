"""What runs show to be wrong with themselves: gaps, and journeys that were edited.

Looked for again and again in the last hours; what the ledger says already is not said twice, and a gap that late
rows have filled is withdrawn.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from collector.model.quality import QualityEvent, QualityKind, event_id
from collector.quality.ledger import between, tell_changes
from collector.store import Slice, Store

BACK = timedelta(hours=6)
INTERVALS = 5.0  # times its usual distance between runs
SHORTEST = 60.0  # seconds: less than a minute is no gap
LEAST_RUNS = 10
_WALK = ["site", "endpoint", "journey", "environment"]


def look(store: Store, *, now: datetime) -> int:
    """Look at the last six hours and tell the ledger what is new; give how many entries that were."""
    since = now - BACK
    columns = ["slot", *_WALK, "journey_hash"]
    runs = store.scan("runs", Slice(start=since, end=now), columns=columns).to_pandas()
    found = [*gaps(runs, now), *edits(runs, now)]
    before = between(store, since, now)
    found += _over(before, runs, {event.event_id for event in found}, now)
    return tell_changes(store, found, before)


def gaps(runs: pd.DataFrame, now: datetime) -> Iterator[QualityEvent]:
    """Find where an endpoint made no runs of a journey for five times their usual distance; the last may last."""
    for (site, endpoint, journey, environment), walked in _walks(runs):
        slots = np.unique(walked["slot"].to_numpy(dtype="datetime64[us]"))
        if len(slots) < LEAST_RUNS:
            continue
        usual = float(np.median(np.diff(slots).astype(float))) / 1e6
        times = [*slots.tolist(), None]
        for before, after in pairwise(times):
            begin, end = _aware(before), None if after is None else _aware(after)
            seconds = ((end or now) - begin).total_seconds()
            if seconds <= max(SHORTEST, INTERVALS * usual):
                continue
            yield QualityEvent(
                event_id=event_id(QualityKind.GAP, site, endpoint, journey, environment, begin.isoformat()),
                told_at=now,
                at=begin,
                until=end,
                site=site,
                kind=QualityKind.GAP,
                subject=endpoint,
                journey=journey,
                detail=f"usually a run every {usual:.0f} s" + (f" ({environment})" if environment != "live" else ""),
                amount=seconds if end else None,
                unit="s" if end else None,
            )


def edits(runs: pd.DataFrame, now: datetime) -> Iterator[QualityEvent]:
    """Find when the file of a journey became another one on an endpoint."""
    for (site, endpoint, journey, environment), walked in _walks(runs.sort_values("slot")):
        hashes, slots = walked["journey_hash"].tolist(), walked["slot"].tolist()
        for place, (old, new) in enumerate(pairwise(hashes), start=1):
            if old == new:
                continue
            at = slots[place].to_pydatetime().replace(tzinfo=UTC)
            yield QualityEvent(
                event_id=event_id(QualityKind.JOURNEY_EDIT, site, endpoint, journey, environment, at.isoformat()),
                told_at=now,
                at=at,
                until=at,
                site=site,
                kind=QualityKind.JOURNEY_EDIT,
                subject=endpoint,
                journey=journey,
                detail=f"{old} became {new}",
            )


def _over(before: list[QualityEvent], runs: pd.DataFrame, found: set[str], now: datetime) -> Iterator[QualityEvent]:
    """End a gap whose first run after it is there, and withdraw one that late rows have filled."""
    for event in before:
        if (
            event.kind is not QualityKind.GAP
            or event.event_id in found
            or (event.until is not None and event.until > now)
        ):
            continue
        mine = (runs["site"] == event.site) & (runs["endpoint"] == event.subject) & (runs["journey"] == event.journey)
        slots = runs.loc[mine & (runs["slot"] > pd.Timestamp(event.at).tz_localize(None)), "slot"]
        if slots.empty:
            continue
        first = slots.min().to_pydatetime().replace(tzinfo=UTC)
        if event.until is None and (first - event.at).total_seconds() > SHORTEST:
            seconds = (first - event.at).total_seconds()
            yield replace(event, until=first, told_at=now, amount=seconds, unit="s")
        elif event.until is not None and event.at >= now - BACK and first < event.until:
            yield replace(event, told_at=now, withdrawn=True)


def _walks(runs: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str, str], pd.DataFrame]]:
    for (site, endpoint, journey, environment), walked in runs.groupby(_WALK, sort=True):
        yield (str(site), str(endpoint), str(journey), str(environment)), walked


def _aware(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)
