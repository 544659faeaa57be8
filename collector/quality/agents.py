"""What agents say of themselves: a clock that is off, rows they lost, a sampler that cannot read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind, detail, event_id
from collector.quality.lasting import Lasting, ended, key
from collector.quality.ledger import between, tell_changes
from collector.store import Slice, Store

SKEW, DROPPED, FAILED = METRICS = ("agent.clock.skew", "agent.outbox.dropped", "agent.sampler.failed")
OFF_SECONDS = 1.0  # a clock further off is said
LAST = 5  # readings of a clock that are looked at: one late answer is no clock that is off
LEAST = 3
BACK = timedelta(hours=2)
_COLUMNS = ["at", "site", "component", "metric", "value", "labels"]
_SAMPLER = "sampler "
_LAYERS = {str(layer): layer for layer in Layer}


class AgentWatch:
    """Tells the ledger what agents said in the last two hours, by whatever clock they said it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lasting = Lasting(store=store, mine=_is_mine)

    def look(self, now: datetime) -> None:
        """Tell what is new, and what is over. Raises StoreError."""
        wanted = Slice(start=now - BACK, end=now + BACK, where={"metric": METRICS})
        said = self._store.scan("samples", wanted, columns=_COLUMNS).to_pandas()
        if dropped := list(lost(said, now)):
            tell_changes(self._store, dropped, between(self._store, now - BACK, now + BACK))
        wrong, fine = {}, set()
        for event, is_wrong in (*clocks(said, now), *samplers(said, now)):
            if is_wrong:
                wrong[key(event)] = event
            else:
                fine.add(key(event))
        over = [event for name, event in self._lasting.known(now).items() if name in fine]
        self._lasting.end(_over(event, now) for event in over)
        self._lasting.begin(wrong.values(), now)


def lost(said: pd.DataFrame, now: datetime) -> Iterator[QualityEvent]:
    """Give one event for each agent and hour that lost rows."""
    rows = said[(said["metric"] == DROPPED) & (said["value"] > 0)]
    for (site, endpoint, hour), told in rows.groupby(["site", "component", rows["at"].dt.floor("h")], sort=True):
        yield QualityEvent(
            event_id=event_id(QualityKind.DROPPED_BATCH, site, endpoint, hour),
            told_at=now,
            at=_aware(told["at"].min()),
            until=_aware(told["at"].max()),
            site=str(site),
            kind=QualityKind.DROPPED_BATCH,
            subject=str(endpoint),
            detail="its outbox was full, or its disk, or the collector refused them",
            amount=float(told["value"].sum()),
            unit="rows",
        )


def clocks(said: pd.DataFrame, now: datetime) -> Iterator[tuple[QualityEvent, bool]]:
    """Say of each agent's clock whether it is off, by the median of its last readings."""
    skews = said[said["metric"] == SKEW].sort_values("at", kind="stable")
    for (site, endpoint), told in skews.groupby(["site", "component"], sort=True):
        latest = told.tail(LAST)
        seconds = float(latest["value"].median())
        off = latest[latest["value"].abs() >= OFF_SECONDS]
        is_wrong = len(latest) >= LEAST and abs(seconds) >= OFF_SECONDS
        at = min(_aware((off if is_wrong else latest)["at"].min()), now)  # its own clock may be ahead
        event = QualityEvent(
            event_id=event_id(QualityKind.CLOCK_SKEW, site, endpoint, at.isoformat()),
            told_at=now,
            at=at,
            site=str(site),
            kind=QualityKind.CLOCK_SKEW,
            subject=str(endpoint),
            detail=f"its clock: {'ahead of' if seconds > 0 else 'behind'} the collector's",
            amount=round(seconds, 1),
            unit="s",
        )
        yield event, is_wrong


def samplers(said: pd.DataFrame, now: datetime) -> Iterator[tuple[QualityEvent, bool]]:
    """Say of each sampler of each agent whether it could read the last time it tried."""
    last: dict[tuple[str, str, str, str], tuple[Mapping[str, Any], Mapping[str, str]]] = {}
    told = said[said["metric"] == FAILED].sort_values("at", kind="stable")
    for row in pa.Table.from_pandas(told[_COLUMNS], preserve_index=False).to_pylist():
        labels = json.loads(row["labels"] or "{}")
        last[row["site"], row["component"], labels.get("sampler", ""), labels.get("of", row["component"])] = row, labels
    for (site, endpoint, sampler, of), (row, labels) in last.items():
        at = min(_aware(row["at"]), now)
        event = QualityEvent(
            event_id=event_id(QualityKind.SOURCE_FAILURE, site, endpoint, sampler, of, at.isoformat()),
            told_at=now,
            at=at,
            site=site,
            kind=QualityKind.SOURCE_FAILURE,
            subject=of,
            layers=tuple(_LAYERS[word] for word in labels.get("layers", "").split() if word in _LAYERS),
            detail=detail(f"{_SAMPLER}{sampler} on {endpoint}: {labels.get('reason', 'cannot read')}"),
        )
        yield event, row["value"] > 0


def _over(event: QualityEvent, now: datetime) -> QualityEvent:
    """End an entry; how far a clock was off stays what it says, others say how long they lasted."""
    if event.kind is QualityKind.CLOCK_SKEW:
        return replace(event, until=max(now, event.at), told_at=now)
    return ended(event, now, now)


def _is_mine(event: QualityEvent) -> bool:
    return event.kind is QualityKind.CLOCK_SKEW or (
        event.kind is QualityKind.SOURCE_FAILURE and event.detail.startswith(_SAMPLER)
    )


def _aware(at: datetime) -> datetime:
    return pd.Timestamp(at).to_pydatetime().replace(tzinfo=UTC)
