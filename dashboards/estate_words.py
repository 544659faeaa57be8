"""The map of the estate in words: for the page and the command line."""

from collections.abc import Iterator, Mapping, Sequence

from collector.model.estate import Component
from collector.model.layer import Layer
from dashboards.facts.estate import Heard, Part, Seen

NOTHING = "No map of the estate is in force: write one and name it as collector.estate in whichlayer.yaml."
HEARD: Mapping[Heard, str] = {
    Heard.FRESH: "has data",
    Heard.STALE: "stale: no data for 15 minutes",
    Heard.NEVER: "no data in 7 days",
}
SHORT: Mapping[Heard, str] = {Heard.FRESH: "has data", Heard.STALE: "stale", Heard.NEVER: "no data in 7 days"}
# What carries others lies below what runs on it.
ORDER: Sequence[Layer] = (
    *(layer for layer in Layer if layer not in {Layer.VIRTUALISATION, Layer.STORAGE}),
    Layer.VIRTUALISATION,
    Layer.STORAGE,
)


def users(part: Part) -> str:
    """Say who uses a component: "live", "shared by live and test", "no environment"."""
    if not part.environments:
        return "no environment"
    *first, last = part.environments
    return f"shared by {', '.join(first)} and {last}" if first else last


def bases(component: Component) -> str:
    """Say what it runs on, with the days where they are told: "host-1 (until 2027-01-10), lun-7"."""
    return _listed((base.component, str(base.period)) for base in component.runs_on) or "nothing of the map"


def suppliers(component: Component) -> str:
    """Say who answers for it, and when."""
    return _listed((supply.supplier, str(supply.period)) for supply in component.supplied) or "not told"


def contract(component: Component) -> str:
    """Say what was promised of it, and where."""
    promised = component.contract
    if promised is None:
        return "not told"
    return f"{promised.target} ({promised.reference})" if promised.target else promised.reference


def name(component: Component) -> str:
    """Name it: "lun-7, LUN of the case database"."""
    return f"{component.name}, {component.title}" if component.title else component.name


def unmapped(seen: Seen) -> str:
    """Name what has data and no place: "lun-9 (storage)", "ward-9-pc (an endpoint)"."""
    return f"{seen.name} ({seen.layer or 'an endpoint'})"


def _listed(entries: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    return ", ".join(what if when == "always" else f"{what} ({when})" for what, when in entries)
