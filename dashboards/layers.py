"""The layers of a verdict in the order a reader wants them: blamed, possible, cleared, and the rest aside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.model.layer import Layer
from collector.model.verdict import Evidence, LayerState, LayerVerdict, Verdict
from dashboards import wording
from dashboards.quantity import percent, percent_range

NOTABLE = 0.1  # of the excess: a layer that is not decided and may have less is set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One layer, or several that the data cannot tell apart, with what speaks for and against."""

    name: str
    state: LayerState
    part: LayerVerdict | None
    share: str
    evidence_for: Sequence[Evidence]
    evidence_against: Sequence[Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """``rows`` say something; ``undecided`` have no part to speak of; of ``unmeasured`` nothing is known."""

    rows: Sequence[Row]
    undecided: Sequence[Row]
    unmeasured: Sequence[str]


def arranged(verdict: Verdict) -> Arranged:
    """Arrange the layers of a verdict; every layer is in exactly one place."""
    parts = {part.layer: part for part in verdict.layers}
    open_parts = [part for part in verdict.layers if part.state is LayerState.INCONCLUSIVE]
    groups = _groups(verdict, {part.layer for part in open_parts})
    grouped = {layer for group in groups for layer in group}
    alone = [part for part in open_parts if part.layer not in grouped]
    rows = [_row(verdict, part) for part in verdict.blamed]
    rows += [_together(verdict, [parts[layer] for layer in group]) for group in groups]
    rows += [_row(verdict, part) for part in alone if part.share >= NOTABLE]
    rows += [_row(verdict, part) for part in verdict.layers if part.state is LayerState.CLEARED]
    unmeasured = [part for part in verdict.layers if part.state is LayerState.NOT_MEASURED]
    said = [part for part in unmeasured if part.evidence_for or part.evidence_against]
    aside = [part for part in alone if part.share < NOTABLE] + said
    return Arranged(
        rows=rows,
        undecided=[_row(verdict, part) for part in aside],
        unmeasured=[_name(verdict, part) for part in unmeasured if part not in said],
    )


def _groups(verdict: Verdict, undecided: set[Layer]) -> list[tuple[Layer, ...]]:
    """Give the inseparable groups that can be one row: wholly undecided, and sharing no layer with another."""
    every = [group for group in verdict.inseparable if set(group) <= undecided]
    return [group for group in every if not any(other is not group and set(other) & set(group) for other in every)]


def _row(verdict: Verdict, part: LayerVerdict) -> Row:
    return Row(
        name=_name(verdict, part),
        state=part.state,
        part=part,
        share=_share(part),
        evidence_for=part.evidence_for,
        evidence_against=part.evidence_against,
    )


def _together(verdict: Verdict, parts: Sequence[LayerVerdict]) -> Row:
    names = [_name(verdict, part) for part in parts]
    return Row(
        name=f"{', '.join(names[:-1])} or {names[-1]}",
        state=LayerState.INCONCLUSIVE,
        part=None,
        share=f"together about {percent(min(1.0, sum(part.share for part in parts)))}",
        evidence_for=_once(said for part in parts for said in part.evidence_for),
        evidence_against=_once(said for part in parts for said in part.evidence_against),
    )


def _share(part: LayerVerdict) -> str:
    if part.state is LayerState.BLAMED:
        return f"{percent(part.share)} ({percent_range(part.low, part.high)})"
    if part.state is LayerState.NOT_MEASURED:
        return ""
    return f"at most {percent(part.high)}" if part.high > 0 else "none"


def _name(verdict: Verdict, part: LayerVerdict) -> str:
    return wording.layer(part.layer, link=verdict.population.link, component=part.component, supplier=part.supplier)


def _once(said: Iterable[Evidence]) -> list[Evidence]:
    return list({(one.rule, one.text): one for one in said}.values())
