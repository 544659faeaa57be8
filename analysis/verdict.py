"""Combines what the methods found into one verdict: deterministic, every layer named, nothing forced.

Shares are measured seconds over the excess. They need not add up: what no part accounts for is the
unexplained share. A part that several layers may be behind counts for each of them as an equal
share with an interval from nothing to all of it, and the group is named as inseparable.

A share is seconds over the excess, and errs with both: the halves of their intervals are put together as the errors
of a quotient of two independent numbers are.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.counting import RULES
from analysis.narrowing import Part, narrow
from analysis.parts import ON_THE_WAY
from analysis.statistics import bounded, rounded
from analysis.surroundings import Surroundings, surroundings
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding, Interval, LayerState, LayerVerdict, Share

ORDER = list(Layer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The part of a verdict that says which layer."""

    layers: tuple[LayerVerdict, ...]
    unexplained: Share | None
    inseparable: tuple[tuple[Layer, ...], ...]


def attribute(findings: Sequence[Finding], excess: Interval) -> Attribution:
    """Combine ``findings`` on an excess of seconds (slow) or failures per run (failing)."""
    around = surroundings(findings)
    measured = _parts(findings, around, excess.estimate)
    parts = [left for part in measured for left in narrow(part, around)]
    shares = _Shares(parts, excess)
    layers = [_layer(layer, shares, measured, around) for layer in Layer]
    largest = max((layer.share for layer in layers if layer.state is LayerState.BLAMED), default=0.0)
    layers = [_unless_minor(layer, largest) for layer in layers]
    layers.sort(key=lambda found: (_RANK[found.state], -found.share, ORDER.index(found.layer)))
    return Attribution(layers=tuple(layers), unexplained=shares.unexplained(), inseparable=shares.groups())


def quiet(sampled: Sequence[Layer], told: Sequence[Layer]) -> tuple[LayerVerdict, ...]:
    """Give the layers of a step that is neither slow nor failing: there is nothing to attribute."""
    known = {*sampled, *told}
    return tuple(
        LayerVerdict(
            layer=layer,
            component=None,
            state=LayerState.CLEARED if layer in known else LayerState.NOT_MEASURED,
            share=0.0,
            low=0.0,
            high=0.0,
        )
        for layer in sorted(Layer, key=lambda layer: (layer not in known, ORDER.index(layer)))
    )


def identity(*words: str) -> str:
    """Give the verdict's id: the same for the same episode, whenever it is looked at."""
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:16]


_RANK: Mapping[LayerState, int] = {
    LayerState.BLAMED: 0,
    LayerState.INCONCLUSIVE: 1,
    LayerState.CLEARED: 2,
    LayerState.NOT_MEASURED: 3,
}


def _parts(findings: Sequence[Finding], around: Surroundings, excess: float) -> list[Part]:
    """Give the measured parts once: where the contrast divided them, its division counts."""
    divided = any(f.method.name == "contrast" and f.seconds is not None for f in findings)
    parts = []
    for finding in findings:
        among = finding.among or (finding.layer,)
        if finding.seconds is None:
            continue
        if _uncovered(finding) and finding.layer not in around.moved:
            # No phase covers it and the machine was not seen to be busy: it explains nothing, and clears nothing.
            if finding.seconds.high >= RULES.cleared_share * excess:
                nothing = bounded(0.0, 0.0, finding.seconds.high, finding.seconds.level)
                parts.append(Part(among=among, seconds=nothing, evidence=finding.evidence))
            continue
        if finding.method.name == "phases" and divided and _of_the_way(finding):
            continue
        parts.append(Part(among=among, seconds=finding.seconds, evidence=finding.evidence))
    return parts


def _uncovered(finding: Finding) -> bool:
    return any(one.source.get("phase") == "rest" for one in finding.evidence)


def _of_the_way(finding: Finding) -> bool:
    return any(one.source.get("phase") in ON_THE_WAY for one in finding.evidence)


def _below(parts: Sequence[Part]) -> float:
    """Give how many seconds fewer the parts may have together; their errors are taken as independent."""
    return math.hypot(*(max(0.0, p.seconds.estimate) - max(0.0, p.seconds.low) for p in parts))


def _above(parts: Sequence[Part]) -> float:
    """Give how many seconds more the parts may have together."""
    return math.hypot(*(max(0.0, p.seconds.high) - max(0.0, p.seconds.estimate) for p in parts))


class _Shares:
    """Parts as shares of the excess."""

    def __init__(self, parts: Sequence[Part], excess: Interval) -> None:
        self.parts = parts
        self._excess = excess.estimate
        self._less, self._more = excess.estimate - excess.low, excess.high - excess.estimate

    def share(self, seconds: float) -> float:
        return min(1.0, max(0.0, seconds / self._excess)) if self._excess > 0 else 0.0

    def matters(self, part: Part) -> bool:
        """Say whether a part is large, or nothing that could be large."""
        estimate, high = self.share(part.seconds.estimate), self.share(part.seconds.high)
        return estimate >= RULES.cleared_share / 2 or (estimate == 0 and high >= RULES.cleared_share)

    def of(self, layer: Layer) -> tuple[float, float, float, float]:
        """Give estimate, low and high, and the estimate of what is this layer's alone."""
        mine = [part for part in self.parts if layer in part.among]
        single = [part for part in mine if len(part.among) == 1]
        estimate = math.fsum(max(0.0, part.seconds.estimate) / len(part.among) for part in mine)
        alone, reach = (math.fsum(max(0.0, part.seconds.estimate) for part in parts) for parts in (single, mine))
        low, high = self._low(single, alone), self._high(mine, reach)
        return self.share(estimate), self.share(low), self.share(high), self.share(alone)

    def _low(self, parts: Sequence[Part], seconds: float) -> float:
        """Give how few seconds a share may stand for, when it has fewer of its own and the excess is larger."""
        return seconds - math.hypot(_below(parts), self.share(seconds) * self._more) if parts else 0.0

    def _high(self, parts: Sequence[Part], seconds: float) -> float:
        """Give how many seconds a share may stand for, when it has more of its own and the excess is smaller."""
        return seconds + math.hypot(_above(parts), self.share(seconds) * self._less)

    def unexplained(self) -> Share | None:
        if not self.parts:
            return Share(share=1.0, low=1.0, high=1.0)
        told = math.fsum(max(0.0, part.seconds.estimate) for part in self.parts)
        left, least, most = (
            min(1.0, max(0.0, 1 - value / self._excess if self._excess > 0 else 1.0))
            for value in (told, told + _above(self.parts), told - _below(self.parts))
        )
        return Share(share=rounded(left), low=rounded(least), high=rounded(most))

    def groups(self) -> tuple[tuple[Layer, ...], ...]:
        found: dict[tuple[Layer, ...], float] = {}
        for part in self.parts:
            if len(part.among) > 1:
                among = tuple(sorted(part.among, key=ORDER.index))
                found[among] = found.get(among, 0.0) + self.share(part.seconds.estimate)
        return tuple(group for group, share in sorted(found.items()) if share >= RULES.cleared_share)


def _layer(layer: Layer, shares: _Shares, measured: Sequence[Part], around: Surroundings) -> LayerVerdict:
    estimate, low, high, alone = shares.of(layer)
    mine = [part for part in shares.parts if layer in part.among]
    large = [part for part in mine if shares.matters(part)]
    support = [e for part in large for e in part.evidence if e.supports]
    against = [e for part in mine for e in part.evidence if part not in large or not e.supports]
    support += around.moved.get(layer, ())
    if layer is Layer.APPLICATION:
        support += [*around.release, *around.asked]
    against += around.still.get(layer, ())
    for evidence in around.beside.get(layer, ()):
        (support if evidence.supports else against).append(evidence)
    said = {evidence.text for evidence in support}
    against = [evidence for evidence in against if evidence.text not in said]
    candidate = sum(shares.share(part.seconds.high) for part in measured if layer in part.among)
    known = any(layer in part.among for part in measured) or layer in around.moved or layer in around.still
    if alone >= RULES.blamed_share and low >= RULES.blamed_low:
        state = LayerState.BLAMED
    elif not known:
        state = LayerState.NOT_MEASURED
    elif high < RULES.cleared_share and (
        candidate < RULES.cleared_share or around.cleared(layer) or layer not in around.moved
    ):
        state = LayerState.CLEARED
    else:
        state = LayerState.INCONCLUSIVE
    return LayerVerdict(
        layer=layer,
        component=_component(around.moved.get(layer, ())),
        state=state,
        share=rounded(estimate),
        low=rounded(min(low, estimate)),
        high=rounded(max(high, estimate)),
        evidence_for=_once(support),
        evidence_against=_once(against),
    )


def _unless_minor(layer: LayerVerdict, largest: float) -> LayerVerdict:
    """A layer far behind the largest moved along: it is named, not blamed."""
    if layer.state is not LayerState.BLAMED or layer.share >= RULES.blamed_of_largest * largest:
        return layer
    return replace(layer, state=LayerState.INCONCLUSIVE)


def _component(moved: Sequence[Evidence]) -> str | None:
    names = {evidence.source.get("component") for evidence in moved}
    return names.pop() if len(names) == 1 else None


def _once(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    seen: dict[tuple[str, str], Evidence] = {}
    for one in evidence:
        seen.setdefault((one.rule, one.text), replace(one, before=_stored(one.before), during=_stored(one.during)))
    return tuple(seen.values())


def _stored(value: float | None) -> float | None:
    return None if value is None else rounded(value)
