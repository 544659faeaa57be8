"""The map of the estate as a file: read, checked as a whole, and given a digest."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from collector.document import Document, Seconds, load_tree, parse, place, text_of
from collector.model.access import Link, Presentation
from collector.model.checks import NAME
from collector.model.errors import ConfigError, Mistake
from collector.model.estate import Base, Component, Contract, Estate, Period, Place, Probe, Supply
from collector.model.layer import Layer

Name = Annotated[str, StringConstraints(pattern=f"^(?:{NAME.pattern})$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Spot = tuple[str | int, ...]
_Found = Iterator[tuple[_Spot, str]]


class _Days(Document):
    first: date | None = Field(default=None, alias="from", description="first day; without it, since ever")
    last: date | None = Field(default=None, alias="to", description="last day, which is included; without it, for good")

    @model_validator(mode="after")
    def _ordered(self) -> "_Days":
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError("ends before it begins: exchange from and to")
        return self

    @property
    def period(self) -> Period:
        return Period(first=self.first, last=self.last)


class BaseEntry(_Days):
    """What a component runs on."""

    on: Name = Field(description="name of a component")


class SupplyEntry(_Days):
    """Who answers for a component."""

    by: Name = Field(description="name of a supplier")


class ContractEntry(Document):
    """What was promised."""

    reference: Words = Field(description="where it stands: contract, clause")
    target: Words | None = Field(default=None, description="what was promised, in words")


class ComponentEntry(Document):
    """One component."""

    name: Name = Field(description="stable name, as its samples have it")
    layer: Layer = Field(description="the layer it is in")
    kind: Words = Field(description="what it is: host, vm, lun, database, printer, link …")
    title: Words | None = Field(default=None, description="what people call it")
    site: Name | None = Field(default=None, description="where it stands")
    environments: tuple[Name, ...] = Field(default=(), description="which environments use it directly")
    runs_on: tuple[BaseEntry, ...] = Field(default=(), description="components it runs on, and when")
    supplied: tuple[SupplyEntry, ...] = Field(default=(), description="who answers for it, and when")
    called: tuple[Words, ...] = Field(default=(), description="names other products have for it")
    contract: ContractEntry | None = Field(default=None, description="what was promised of it")


class NamedEntry(Document):
    """A site or a supplier."""

    name: Name = Field(description="stable name")
    title: Words | None = Field(default=None, description="what people call it")


class EndpointEntry(NamedEntry):
    """One endpoint."""

    site: Name = Field(description="name of a site")


class ProbeEntry(Document):
    """What a probe of another product stands for."""

    instance: Words = Field(description="its label instance: what it probes")
    job: Words | None = Field(default=None, description="its label job, where several probe the same")
    labels: Mapping[str, str] = Field(default_factory=dict, description="more labels its series must have")
    endpoint: Name = Field(description="name of an endpoint: where it probes from")
    journey: Name = Field(description="what its runs are called")
    step: Name = Field(default="request", description="what its one request is called")
    environment: Name | None = Field(default=None, description="what it probes: live, test; the first if not told")
    link: Link = Field(default=Link.UNKNOWN, description="the network it probes over: wired, wifi, vpn, mobile")
    presentation: Presentation = Field(default=Presentation.LOCAL, description="local, or the session it runs in")
    timeout: Seconds = Field(default=9.5, gt=0, description="after how long it gives up")
    target: Seconds | None = Field(default=None, gt=0, description="how long it may take")

    @property
    def matched(self) -> dict[str, str]:
        """Give all labels its series must have."""
        return {**self.labels, "instance": self.instance} | ({} if self.job is None else {"job": self.job})


class EstateFile(Document):
    """The whole file."""

    sites: tuple[NamedEntry, ...] = Field(min_length=1, description="where things stand")
    environments: tuple[Name, ...] = Field(default=("live",), min_length=1, description="live, test …")
    suppliers: tuple[NamedEntry, ...] = Field(default=(), description="who answers for components")
    endpoints: tuple[EndpointEntry, ...] = Field(default=(), description="where probes run")
    components: tuple[ComponentEntry, ...] = Field(default=(), description="what there is")
    probes: tuple[ProbeEntry, ...] = Field(default=(), description="probes of other products, and what they stand for")


def read(path: Path) -> Estate:
    """Read one map. Raises ConfigError with every mistake, each with its place."""
    return understood(text_of(path), path)


def understood(text: str, path: Path) -> Estate:
    """Make a map of text that came from ``path``. Raises ConfigError with every mistake."""
    told = parse(text, path, EstateFile)
    tree = load_tree(text, path)
    wrong = [(place(tree, spot), spot, what) for check in _CHECKS for spot, what in check(told)]
    if wrong:
        raise ConfigError([_mistake(path, *one) for one in sorted(wrong, key=lambda one: one[0])])
    made = Estate(
        digest="",
        sites=tuple(one.name for one in told.sites),
        environments=told.environments,
        suppliers=tuple(one.name for one in told.suppliers),
        endpoints=tuple(Place(**one.model_dump()) for one in told.endpoints),
        components=tuple(_component(one) for one in told.components),
        probes=tuple(_probe(one, told.environments[0]) for one in told.probes),
    )
    said = json.dumps(asdict(made), sort_keys=True, default=str)
    return replace(made, digest=hashlib.sha256(said.encode()).hexdigest())


def _component(entry: ComponentEntry) -> Component:
    return Component(
        name=entry.name,
        layer=entry.layer,
        kind=entry.kind,
        title=entry.title,
        site=entry.site,
        environments=entry.environments,
        runs_on=tuple(Base(component=one.on, period=one.period) for one in entry.runs_on),
        supplied=tuple(Supply(supplier=one.by, period=one.period) for one in entry.supplied),
        called=entry.called,
        contract=None if entry.contract is None else Contract(**entry.contract.model_dump()),
    )


def _probe(entry: ProbeEntry, usual: str) -> Probe:
    return Probe(
        labels=entry.matched,
        endpoint=entry.endpoint,
        journey=entry.journey,
        step=entry.step,
        environment=entry.environment or usual,
        link=entry.link,
        presentation=entry.presentation,
        timeout_seconds=entry.timeout,
        target_seconds=entry.target,
    )


def _mistake(path: Path, where: tuple[int, int], spot: _Spot, what: str) -> Mistake:
    key = ".".join(str(part) for part in spot)
    return Mistake(file=str(path), line=where[0], column=where[1], message=f"{key}: {what}")


def _twice(told: EstateFile) -> _Found:
    for section in ("sites", "suppliers", "endpoints", "components"):
        yield from _repeated(section, [one.name for one in getattr(told, section)], "name")
    yield from _repeated("environments", told.environments)
    names = [name for one in told.components for name in {one.name, *one.called}]
    for number, one in enumerate(told.components):
        for place_, name in enumerate(one.called):
            if names.count(name) > 1:
                yield ("components", number, "called", place_), f"another component is called {name!r} too"


def _repeated(section: str, names: Sequence[str], *key: str) -> _Found:
    counts: Counter[str] = Counter()
    for number, name in enumerate(names):
        counts[name] += 1
        if counts[name] == 2:
            yield (section, number, *key), f"{name!r} is there already: names are given once"


def _unknown(told: EstateFile) -> _Found:
    sites, suppliers = {one.name for one in told.sites}, {one.name for one in told.suppliers}
    components = {one.name for one in told.components}
    for number, endpoint in enumerate(told.endpoints):
        yield from _known(("endpoints", number, "site"), endpoint.site, sites, "sites")
    for number, one in enumerate(told.components):
        spot: _Spot = ("components", number)
        if one.site is not None:
            yield from _known((*spot, "site"), one.site, sites, "sites")
        for place_, name in enumerate(one.environments):
            yield from _known((*spot, "environments", place_), name, told.environments, "environments")
        for place_, base in enumerate(one.runs_on):
            yield from _known((*spot, "runs_on", place_, "on"), base.on, components, "components")
        for place_, supply in enumerate(one.supplied):
            yield from _known((*spot, "supplied", place_, "by"), supply.by, suppliers, "suppliers")


def _probed(told: EstateFile) -> _Found:
    """Find probes of what is not in the map, and series that would be two probes' at once."""
    endpoints = {one.name for one in told.endpoints}
    for number, one in enumerate(told.probes):
        spot: _Spot = ("probes", number)
        yield from _known((*spot, "endpoint"), one.endpoint, endpoints, "endpoints")
        if one.environment is not None:
            yield from _known((*spot, "environment"), one.environment, told.environments, "environments")
        for earlier, other in enumerate(told.probes[:number]):
            if all(one.matched.get(label, value) == value for label, value in other.matched.items()):
                what = f"its series may be those of probes.{earlier} too: tell them apart by job or labels"
                yield (*spot, "instance"), what


def _known(spot: _Spot, name: str, names: Sequence[str] | set[str], section: str) -> _Found:
    if name not in names:
        yield spot, f"{name!r} is not among the {section}: check its spelling, or add it there"


def _overlapping(told: EstateFile) -> _Found:
    for number, one in enumerate(told.components):
        for later, supply in enumerate(one.supplied):
            for other in one.supplied[:later]:
                if supply.period.overlaps(other.period):
                    what = (
                        f"{supply.by} ({supply.period}) and {other.by} ({other.period}) overlap: one answers at a time"
                    )
                    yield ("components", number, "supplied", later), what


def _cycles(told: EstateFile) -> _Found:
    """Find components that run on themselves; periods that never meet make no cycle."""
    bases = {one.name: one.runs_on for one in told.components}
    reported: set[frozenset[str]] = set()
    for number, one in enumerate(told.components):
        for place_, base in enumerate(one.runs_on):
            way = _way(base, one.name, bases, (one.name,))
            if way and frozenset(way) not in reported:
                reported.add(frozenset(way))
                yield ("components", number, "runs_on", place_), f"runs on itself: {' on '.join(way)}"


def _way(base: BaseEntry, home: str, bases: Any, gone: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401
    """Give the components on the way back to ``home``; empty when there is none."""
    if base.on == home:
        return (*gone, home)
    if base.on in gone:
        return ()
    for further in bases.get(base.on, ()):
        if further.period.overlaps(base.period) and (way := _way(further, home, bases, (*gone, base.on))):
            return way
    return ()


_CHECKS = (_twice, _unknown, _probed, _overlapping, _cycles)
