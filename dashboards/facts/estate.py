"""The map of the estate beside what was seen: which of its components have data, and what has data but no place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pyarrow as pa

from collector.model.estate import Component, Estate, Place
from collector.store import Slice, Store
from dashboards.clock import aware

FRESH = timedelta(minutes=15)
REMEMBERED = timedelta(days=7)


class Heard(StrEnum):
    """Whether something of the map has data. That data come says nothing of whether they are good."""

    FRESH = "fresh"
    STALE = "stale"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When the last sample or run of a name came; ``layer`` is the samples', None for an endpoint's."""

    name: str
    layer: str | None
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One component of the map now: who uses it, what it runs on, who answers, whether it has data."""

    component: Component
    heard: Heard
    last: datetime | None
    environments: Sequence[str]
    bases: Sequence[str]
    supplier: str | None

    @property
    def shared(self) -> bool:
        """Say whether more than one environment uses it."""
        return len(self.environments) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vantage:
    """One endpoint of the map, and when its last run came."""

    place: Place
    heard: Heard
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The map now. ``unmapped`` has data and no place; what never had any is among ``parts`` and ``vantages``."""

    digest: str
    parts: Sequence[Part]
    vantages: Sequence[Vantage]
    unmapped: Sequence[Seen]


def survey(store: Store, estate: Estate, now: datetime) -> Survey:
    """Look at the last quarter of an hour for everything, and at seven days for what of the map is not in it."""
    sampled, walked = _sampled(store, now, FRESH), _walked(store, now, FRESH)
    wanted = {name for one in estate.components for name in one.names} - set(sampled)
    sampled |= _sampled(store, now, REMEMBERED, sorted(wanted)) if wanted else {}
    absent = {one.name for one in estate.endpoints} - set(walked)
    walked |= _walked(store, now, REMEMBERED, sorted(absent)) if absent else {}
    used = estate.used_by(now)
    parts = [_part(one, used[one.name], sampled, now) for one in estate.components]
    places = {one.name for one in estate.endpoints}
    return Survey(
        digest=estate.digest,
        parts=parts,
        vantages=[_vantage(one, walked, now) for one in estate.endpoints],
        unmapped=[
            seen
            for name, seen in sorted({**walked, **sampled}.items())
            if name not in places and estate.component(name) is None
        ],
    )


def _part(one: Component, environments: Iterable[str], sampled: Mapping[str, Seen], now: datetime) -> Part:
    last = max((sampled[name].last for name in one.names if name in sampled), default=None)
    return Part(
        component=one,
        heard=_heard(last, now),
        last=last,
        environments=sorted(environments),
        bases=[base.component for base in one.runs_on if base.period.holds(now)],
        supplier=one.supplier(now),
    )


def _vantage(place: Place, walked: Mapping[str, Seen], now: datetime) -> Vantage:
    last = walked[place.name].last if place.name in walked else None
    return Vantage(place=place, heard=_heard(last, now), last=last)


def _heard(last: datetime | None, now: datetime) -> Heard:
    if last is None:
        return Heard.NEVER
    return Heard.FRESH if now - last <= FRESH else Heard.STALE


def _sampled(store: Store, now: datetime, back: timedelta, names: Sequence[str] | None = None) -> dict[str, Seen]:
    where = {} if names is None else {"component": names}
    rows = store.scan("samples", _lately(now, back, where), columns=["at", "component", "layer"])
    layers = rows.group_by("component").aggregate([("layer", "min")]).to_pylist()
    of = {row["component"]: row["layer_min"] for row in layers}
    return {name: Seen(name=name, layer=of[name], last=last) for name, last in _latest(rows, "component", "at").items()}


def _walked(store: Store, now: datetime, back: timedelta, names: Sequence[str] | None = None) -> dict[str, Seen]:
    where = {} if names is None else {"endpoint": names}
    rows = store.scan("runs", _lately(now, back, where), columns=["slot", "endpoint"])
    return {name: Seen(name=name, layer=None, last=last) for name, last in _latest(rows, "endpoint", "slot").items()}


def _lately(now: datetime, back: timedelta, where: Mapping[str, Sequence[str]]) -> Slice:
    return Slice(start=now - back, end=now + timedelta(seconds=1), where=where)


def _latest(rows: pa.Table, name: str, time: str) -> dict[str, datetime]:
    if rows.num_rows == 0:
        return {}
    found = rows.group_by(name).aggregate([(time, "max")])
    return {row[name]: aware(row[f"{time}_max"]) for row in found.to_pylist()}
