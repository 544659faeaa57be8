"""Which layers cannot be told apart with what is seen of a step, and the cheapest addition that would do it.

For each layer that the step's own phases may point at, a time is made up in which that layer alone is slow
(``analysis.sight``), and the engine's own methods and narrowing are asked who it was. A layer is *identified* when they
name it alone. When they name it among others, these are a group; when they name nobody, or only others, that is said
too. Additions are tried the same way: what the engine would then answer decides, no second copy of its rules.

A plan begins with everything the product could add and leaves out, dearest first, each addition without which the
answers are as near to the truth: what is then left together cannot be told apart by anything the product has. Cost is
compared by new machines, then rights, then runs per hour.

Limits. One layer is slow at a time, as such faults usually show: in the phase they usually lengthen, with the layer's
own measures moving, and no release at the same moment. A failing step is one that times out. Application code that
keeps processors busy looks like a busy server; an endpoint is taken to cost time in no phase. A plan says what could be
told apart, not that each verdict will: noise, silence of a source and two faults at once are not in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from analysis import methods
from analysis.behind import behind
from analysis.method import Method
from analysis.sight import EXCESS, LEVEL, Hit, Sight, Vantage, hit, moves, runs_of, samples_of
from analysis.verdict import attribute
from collector.model.layer import Layer
from collector.model.verdict import Finding, LayerState, Status
from collector.plugin import load, names

ORDER = list(Layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an addition takes: runs per hour more, machines more, and rights, from 0 (none) to 3 (a changed system)."""

    machines: int = 0
    effort: int = 0
    rights: str = "none"
    runs_per_hour: float = 0.0

    @property
    def order(self) -> tuple[int, int, float]:
        """Give what costs are compared by."""
        return self.machines, self.effort, self.runs_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """One thing the product can measure in addition; what a step's sight gains by it."""

    name: str
    words: str
    cost: Cost = field(compare=False)
    vantages: frozenset[Vantage] = frozenset()
    own_phases: frozenset[str] = frozenset()
    phases: frozenset[str] = frozenset()
    measured: frozenset[tuple[Layer, str]] = frozenset()

    def to(self, sight: Sight) -> Sight:
        """Give what is seen with it."""
        mine = replace(sight.mine, phases=sight.mine.phases | self.own_phases | self.phases)
        others = {replace(one, phases=one.phases | self.phases) for one in sight.others | self.vantages}
        return replace(sight, mine=mine, others=frozenset(others), measured=sight.measured | self.measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Layers that cannot be told apart when the step is slow, or failing, and what would tell them apart.

    ``missed`` are those of ``layers`` whose time would be laid on the others, or on nobody. ``left`` is what stays
    together with all ``additions`` made; empty when each layer would be named alone.
    """

    status: Status
    layers: tuple[Layer, ...]
    missed: tuple[Layer, ...]
    additions: tuple[Addition, ...]
    left: tuple[Layer, ...]

    @property
    def unseen(self) -> bool:
        """Say whether somebody's time would be laid on nobody, or on somebody else."""
        return bool(self.missed)


def suspects(sight: Sight) -> tuple[Layer, ...]:
    """Name the layers that the methods may hold responsible for a part of the step, and the endpoint."""
    how = hit(sight, Layer.NETWORK_CORE)
    window, episode = runs_of(how, alone=sight.alone, status=Status.SLOW)
    named = {layer for finding in _of_runs(how, sight.alone, Status.SLOW) for layer in finding.among}
    return tuple(sorted(named | set(behind(window, episode)) | {Layer.ENDPOINT}, key=ORDER.index))


@lru_cache(maxsize=20_000)
def answer(sight: Sight, layer: Layer, status: Status) -> frozenset[Layer]:
    """Say whom the engine would name if this layer alone were the cause: blamed, or in a group it cannot separate."""
    findings = [
        *_of_runs(hit(sight, layer), sight.alone, status),
        *(
            finding
            for sampled, name in sorted(sight.measured)
            for finding in _of_samples(sampled, name, moves(layer, sampled), status)
        ),
    ]
    excess = EXCESS[status]
    told = attribute(findings, excess)
    blamed = {one.layer for one in told.layers if one.state is LayerState.BLAMED}
    return frozenset(blamed.union(*told.inseparable))


def given(sight: Sight, additions: Iterable[Addition]) -> Sight:
    """Give what is seen with all of these; what an addition tells of every access it tells of added ones too."""
    for one in sorted(additions, key=lambda one: not one.vantages):
        sight = one.to(sight)
    return sight


def groups(sight: Sight, candidates: Sequence[Addition], status: Status) -> list[Group]:
    """Give every group of layers with its cheapest plan, the largest group first."""
    named = suspects(sight)
    if status is Status.FAILING:
        named = tuple(layer for layer in named if layer is not Layer.ENDPOINT)
    found: dict[tuple[frozenset[Layer], bool], list[Layer]] = {}
    for layer in named:
        told = answer(sight, layer, status)
        if told != {layer}:
            found.setdefault((told | {layer}, layer not in told), []).append(layer)
    made = [
        _planned(sight, tuple(mine), (tuple(sorted(together, key=ORDER.index)), unseen, status), candidates)
        for (together, unseen), mine in found.items()
    ]
    return sorted(made, key=lambda one: (-len(one.layers), one.layers))


def _planned(
    sight: Sight, mine: tuple[Layer, ...], what: tuple[tuple[Layer, ...], bool, Status], candidates: Sequence[Addition]
) -> Group:
    together, unseen, status = what
    chosen = _cheapest(sight, mine, status, candidates)
    seen = given(sight, chosen)
    confused = [layer for layer in mine if answer(seen, layer, status) != {layer}]
    left = {layer for one in confused for layer in answer(seen, one, status) | {one}}
    return Group(
        status=status,
        layers=together,
        missed=mine if unseen else (),
        additions=tuple(chosen),
        left=tuple(sorted(left, key=ORDER.index)),
    )


def _cheapest(sight: Sight, mine: Sequence[Layer], status: Status, candidates: Sequence[Addition]) -> list[Addition]:
    """Take all, then leave out, dearest first, each without which the answers are as good."""
    kept = sorted(candidates, key=lambda one: (one.cost.order, one.name))
    best = _doubt(given(sight, kept), mine, status)
    for one in reversed(kept.copy()):
        without = [other for other in kept if other is not one]
        doubt = _doubt(given(sight, without), mine, status)
        if doubt <= best:
            kept, best = without, doubt
    return kept


def _doubt(sight: Sight, mine: Iterable[Layer], status: Status) -> int:
    """Count the layers named wrongly and those not named, over what each of these layers would look like."""
    return sum(len(answer(sight, layer, status) ^ {layer}) for layer in mine)


@lru_cache(maxsize=1)
def _tools() -> tuple[Method, ...]:
    return tuple(load(methods, name, Method) for name in names(methods))


@lru_cache(maxsize=20_000)
def _of_runs(how: Hit, alone: bool, status: Status) -> tuple[Finding, ...]:
    window, episode = runs_of(how, alone=alone, status=status)
    return tuple(finding for tool in _tools() for finding in tool.explain(window, episode, level=LEVEL))


@lru_cache(maxsize=2_000)
def _of_samples(layer: Layer, name: str, moved: bool, status: Status) -> tuple[Finding, ...]:
    window, episode = samples_of(layer, name, moved=moved, status=status)
    findings = (finding for tool in _tools() for finding in tool.explain(window, episode, level=LEVEL))
    return tuple(finding for finding in findings if finding.seconds is None)
