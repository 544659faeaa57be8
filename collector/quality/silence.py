"""Components that are no longer heard of, whoever told of them: an agent, a source, a door.

Each has a rhythm of its own, learned from the times of its samples. Samples are looked at by their own times, so what
is imported from a file has none, and what comes late takes back what was said of the time before.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.layer import Layer
from collector.model.quality import UNHEARD, QualityEvent, QualityKind, detail, event_id
from collector.quality.lasting import Key, Lasting, ended
from collector.quality.ledger import lasting
from collector.store import Slice, Store

MOST = 20_000  # components that are watched
READINGS = 3  # what was heard less often has no rhythm yet
TIMES, AT_LEAST = 5, timedelta(minutes=5)  # a silence is five times the longest of the last distances, or more
DISTANCES = 5
FORGOTTEN = timedelta(days=7)
SAYS = "usually heard"
Place = tuple[str, str]  # site, component


@dataclass(slots=True)
class _Rhythm:
    last: datetime
    readings: int = 1
    layers: set[Layer] = field(default_factory=set)
    distances: deque[timedelta] = field(default_factory=lambda: deque(maxlen=DISTANCES))

    @property
    def patience(self) -> timedelta:
        return max(AT_LEAST, TIMES * max(self.distances, default=timedelta()))

    def heard(self, at: datetime) -> None:
        if at <= self.last:
            return
        if at - self.last <= self.patience or self.readings < READINGS:
            self.distances.append(at - self.last)
        self.last, self.readings = at, self.readings + 1


class Silence:
    """Remembers when each component was heard last; what an earlier process left open is ended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lasting = Lasting(store=store, mine=lambda event: event.kind is QualityKind.STALE_SOURCE)
        self._heard: dict[Place, _Rhythm] = {}

    def look(self, samples: pa.Table, now: datetime) -> None:
        """Take in the samples of the last minutes, earlier ones again; tell who fell silent. Raises StoreError."""
        for place, layer, said in _moments(samples):
            at = min(said, now)  # a clock that is ahead says nothing of the time to come
            if place in self._heard:
                self._heard[place].heard(at)
            elif len(self._heard) < MOST:
                self._heard[place] = _Rhythm(at)
            if place in self._heard:
                self._heard[place].layers.add(layer)
        known = self._lasting.known(now)
        self._lasting.end(self._over(known, now))
        silent = {
            place: rhythm
            for place, rhythm in self._heard.items()
            if rhythm.readings >= READINGS and now - rhythm.last > rhythm.patience
        }
        new = {place: one for place, one in silent.items() if _key(place) not in known}
        for place in self._of_forgotten_sites(new, now):
            del new[place], silent[place], self._heard[place]
        if new:
            failing = {(e.site, e.subject) for e in lasting(self._store, now) if e.kind in UNHEARD}
            self._lasting.begin((_begun(place, one, now) for place, one in new.items() if place not in failing), now)
        for place in [place for place, rhythm in silent.items() if now - rhythm.last > FORGOTTEN]:
            del self._heard[place]

    def _of_forgotten_sites(self, new: Mapping[Place, _Rhythm], now: datetime) -> list[Place]:
        """Name places whose site has no samples at all any more: it was forgotten, and is not to be named again."""
        gone = set()
        for site in {site for site, _component in new}:
            since = min(one.last for place, one in new.items() if place[0] == site)
            heard = Slice(start=since, end=now + timedelta(days=1), where={"site": [site]})
            if not self._store.counts("samples", heard).num_rows:
                gone.add(site)
        return [place for place in new if place[0] in gone]

    def _over(self, known: dict[Key, QualityEvent], now: datetime) -> Iterator[QualityEvent]:
        """End what is heard again where its samples begin again; late ones may have left no silence."""
        for event in known.values():
            rhythm = self._heard.get((event.site, event.subject))
            if rhythm is None or rhythm.last <= event.at or now - rhythm.last > rhythm.patience:
                continue
            where = {"site": [event.site], "component": [event.subject]}
            since = event.at + timedelta(microseconds=1)
            found = self._store.scan("samples", Slice(start=since, end=now, where=where), columns=["at"])
            first = pc.min(found.column("at")).as_py()
            until = rhythm.last if first is None else first.replace(tzinfo=UTC)
            yield replace(ended(event, until, now), withdrawn=until - event.at < rhythm.patience)


def _moments(samples: pa.Table) -> Iterator[tuple[Place, Layer, datetime]]:
    """Give the last time in each minute at which a component was heard as a layer, in time."""
    if not samples.num_rows:
        return
    minute = pc.floor_temporal(samples.column("at"), unit="minute")
    groups = samples.append_column("minute", minute).group_by(["site", "component", "layer", "minute"])
    for row in groups.aggregate([("at", "max")]).sort_by("at_max").to_pylist():
        yield (row["site"], row["component"]), Layer(row["layer"]), row["at_max"].replace(tzinfo=UTC)


def _key(place: Place) -> Key:
    return QualityKind.STALE_SOURCE, *place, SAYS


def _begun(place: Place, rhythm: _Rhythm, now: datetime) -> QualityEvent:
    site, component = place
    usual = max(rhythm.distances).total_seconds()
    return QualityEvent(
        event_id=event_id(QualityKind.STALE_SOURCE, site, component, rhythm.last.isoformat()),
        told_at=now,
        at=rhythm.last,
        site=site,
        kind=QualityKind.STALE_SOURCE,
        subject=component,
        layers=tuple(sorted(rhythm.layers)),
        detail=detail(f"{SAYS}: at least every {usual:.0f} s"),
    )
