"""What of each step cannot be told apart with what has data now, and what would be the cheapest to add."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from analysis.additions import Surroundings, additions
from analysis.counting import RULES
from analysis.identifiability import Group, groups
from analysis.methods.infrastructure import PLUGIN as INFRASTRUCTURE
from analysis.pairs import LEAST_PAIRS
from analysis.parts import ACCOUNT, OUTSIDE
from analysis.series import KEY, Key, key_of
from analysis.sight import LEVEL, Sight, Vantage, asked
from analysis.surroundings import INDECISIVE
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.verdict import Status

MOST = 0.5  # of the measured runs have a phase, for it to count as measured
NAMED = 2  # components that an addition names, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """One step and access: the groups of layers that its verdicts could not tell apart, with their additions."""

    key: Key
    runs_per_hour: float
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which steps are asked about; empty is all. ``access`` is written as a population is: "citrix over wifi"."""

    journey: str = ""
    step: str = ""
    access: str = ""

    def holds(self, key: Key) -> bool:
        """Say whether a step and access is asked about."""
        asked = ((self.journey, key.journey), (self.step, key.step), (self.access, str(key.population)))
        return all(word in {"", name} for word, name in asked)


def plan(window: Window, only: Only = Only()) -> list[StepPlan]:
    """Ask of every step and access that ran in the window; in order of key. Steps alike are asked once."""
    made: dict[tuple[object, ...], tuple[Group, ...]] = {}
    found = []
    for key, sight, around in sights(window, only):
        what = (sight, tuple(around.named.items()), around.runs_per_hour)
        if what not in made:
            more = additions(sight, around)
            made[what] = tuple(
                group for status in (Status.SLOW, Status.FAILING) for group in groups(sight, more, status)
            )
        found.append(StepPlan(key=key, runs_per_hour=around.runs_per_hour, groups=made[what]))
    return found


def sights(window: Window, only: Only = Only()) -> Iterator[tuple[Key, Sight, Surroundings]]:
    """Give what is seen of every step and access that ran in the window, in order of key."""
    seen = dict(_seen(window))
    metrics: dict[tuple[object, ...], frozenset[tuple[Layer, str]]] = {}
    hours = (window.end - window.start).total_seconds() / 3600
    for key, (vantage, runs) in sorted(seen.items()):
        if not only.holds(key):
            continue
        here = (key.site, key.environment, key.population)
        if here not in metrics:
            metrics[here] = _measured(window, key)
        same = frozenset(seen[one][0] for one in seen if one.place == key.place and one != key)
        alone = not any(one.journey == key.journey and one.step != key.step for one in seen)
        around = Surroundings(runs_per_hour=round(runs / hours, 1), named=_named(window, key))
        yield key, Sight(vantage, same, metrics[here], alone), around


def _seen(window: Window) -> Iterator[tuple[Key, tuple[Vantage, int]]]:
    """Give, per step and access with enough runs to be held against another, the phases it measures."""
    inside = window.steps["outcome"].isin([str(outcome) for outcome in RULES.measured])
    for values, rows in window.steps[inside].groupby(KEY, sort=True, observed=True):
        if len(rows) >= LEAST_PAIRS:
            key = key_of(values)
            shares = rows[[*OUTSIDE, *ACCOUNT]].notna().mean()
            phases = frozenset(str(name) for name in shares.index[shares.to_numpy() >= MOST])
            yield key, (Vantage(key.population, _apart(phases)), len(rows))


def _apart(phases: frozenset[str]) -> frozenset[str]:
    """Take TLS as a part of connecting, as the methods do."""
    return (phases - {"tls"}) | {"connect"} if "tls" in phases else phases


def _measured(window: Window, key: Key) -> frozenset[tuple[Layer, str]]:
    """Ask the method which metrics it would look at if the step were slow now."""
    episode = replace(
        asked(key.population, Status.SLOW),
        site=key.site,
        journey=key.journey,
        step=key.step,
        environment=key.environment,
        start=window.start,
        end=window.end,
        baseline_start=None,
        baseline_end=None,
    )
    found = INFRASTRUCTURE.explain(window, episode, level=LEVEL)
    told = ((one.layer, evidence.source.get("metric")) for one in found for evidence in one.evidence)
    return frozenset((layer, metric) for layer, metric in told if metric and metric not in INDECISIVE)


def _named(window: Window, key: Key) -> Mapping[Layer, tuple[str, ...]]:
    """Name the components that the step's environment uses, by layer, as far as the map of the estate knows."""
    if window.estate is None:
        return {}
    used = window.estate.used_by(window.end)
    found: dict[Layer, tuple[str, ...]] = {}
    for one in window.estate.components:
        if key.environment in used[one.name] and len(found.get(one.layer, ())) < NAMED:
            found[one.layer] = (*found.get(one.layer, ()), one.name)
    return found
