"""The map of the estate: what there is, what runs on what, who uses it and who answers for it, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from collector.model.access import Access, Link, Presentation
from collector.model.checks import as_name
from collector.model.layer import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of UTC from ``first`` to ``last``, both included; None is without end on that side."""

    first: date | None = None
    last: date | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether an instant lies in it."""
        day = at.astimezone(UTC).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def overlaps(self, other: "Period") -> bool:
        """Say whether the two have a day in common."""
        return self._begins_by(other.last) and other._begins_by(self.last)

    def _begins_by(self, last: date | None) -> bool:
        return last is None or self.first is None or self.first <= last

    def __str__(self) -> str:
        if self.first is None:
            return "always" if self.last is None else f"until {self.last}"
        return f"from {self.first}" if self.last is None else f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a component runs on, in a period."""

    component: str
    period: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Who answers for a component, in a period."""

    supplier: str
    period: Period = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Where it stands what was promised of a component, and what was promised, in words."""

    reference: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A named thing in a layer, under the name its samples have. ``environments`` use it directly."""

    name: str
    layer: Layer
    kind: str
    title: str | None = None
    site: str | None = None
    environments: tuple[str, ...] = ()
    runs_on: tuple[Base, ...] = ()
    supplied: tuple[Supply, ...] = ()
    called: tuple[str, ...] = ()
    contract: Contract | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Give every name its samples may have: its own, and what other products call it."""
        return (self.name, *(as_name(called) for called in self.called))

    def supplier(self, at: datetime) -> str | None:
        """Name who answers for it at an instant; None when the map does not say."""
        return next((supply.supplier for supply in self.supplied if supply.period.holds(at)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An endpoint: where a probe runs, under the name its runs have."""

    name: str
    site: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe of another product (blackbox_exporter): which series are its, and whose experience they stand for.

    ``labels`` are what its series must have. A failed probe that took ``timeout_seconds`` is one that timed out.
    """

    labels: Mapping[str, str]
    endpoint: str
    journey: str
    step: str = "request"
    environment: str = "live"
    link: Link = Link.UNKNOWN
    presentation: Presentation = Presentation.LOCAL
    timeout_seconds: float = 9.5
    target_seconds: float | None = None

    @property
    def access(self) -> Access:
        """Give link and presentation; how they are known is that the map says so."""
        told = "the map of the estate"
        sure = 1.0 if self.link is not Link.UNKNOWN else 0.0
        return Access(
            link=self.link,
            presentation=self.presentation,
            link_source=told,
            presentation_source=told,
            confidence=sure,
        )

    def has(self, labels: Mapping[str, str]) -> bool:
        """Say whether a series with these labels is one of its own."""
        return all(labels.get(label) == value for label, value in self.labels.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """One version of the map. ``digest`` is the SHA-256 of what it says: who names it names exactly this map."""

    digest: str
    sites: tuple[str, ...]
    environments: tuple[str, ...]
    suppliers: tuple[str, ...]
    endpoints: tuple[Place, ...]
    components: tuple[Component, ...]
    probes: tuple[Probe, ...] = ()

    def component(self, name: str) -> Component | None:
        """Find a component by a name its samples have, or by that of a part of it: a disk, a database, a statement."""
        exact = next((one for one in self.components if name in one.names), None)
        if exact is not None:
            return exact
        wholes = [(own, one) for one in self.components for own in one.names if name.startswith(f"{own}-")]
        return max(wholes, key=lambda whole: len(whole[0]), default=(None, None))[1]

    def used_by(self, at: datetime) -> Mapping[str, frozenset[str]]:
        """Say which environments use each component at an instant: by themselves, or through what runs on it."""
        found = {one.name: set(one.environments) for one in self.components}
        pending = [one.name for one in self.components]
        bases = {one.name: [b.component for b in one.runs_on if b.period.holds(at)] for one in self.components}
        while pending:
            name = pending.pop()
            for base in bases[name]:
                if not found[name] <= found[base]:
                    found[base] |= found[name]
                    pending.append(base)
        return {name: frozenset(environments) for name, environments in found.items()}

    def shared(self, at: datetime) -> Mapping[str, frozenset[str]]:
        """Give the components that more than one environment uses at an instant, with these environments."""
        return {name: environments for name, environments in self.used_by(at).items() if len(environments) > 1}

    def supplier(self, layer: Layer, component: str | None, *, environment: str, at: datetime) -> str | None:
        """Name who answers for a component, or for a whole layer where one supplier has all the environment uses."""
        known = self.component(component) if component else None
        if known is not None:
            return known.supplier(at)
        used = self.used_by(at)
        of_layer = [one for one in self.components if one.layer is layer and environment in used[one.name]]
        suppliers = {one.supplier(at) for one in of_layer}
        return suppliers.pop() if len(suppliers) == 1 else None
