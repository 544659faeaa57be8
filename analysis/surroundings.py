"""What stands around an episode: what infrastructure, releases and the way to the server say, by layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.methods.infrastructure import FAR
from collector.model.layer import Layer
from collector.model.verdict import Evidence, Finding

PROCESS_WAIT = "process.cpu.wait"
# They rise with any delay and any other program's traffic, and stay low on a link that only waits: shown, not used.
INDECISIVE = frozenset({"system.network.retransmits", "system.network.errors"})
BESIDE = ("contention.", "covariation.")  # rules whose evidence is shown, and decides nothing by itself
TAKEN_BACK = (
    "covariation.after",
    "covariation.demand",
    "covariation.apart",
)  # a metric of which this is said moved, and names nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What infrastructure and releases say, by layer; ``beside`` is shown and decides nothing.

    ``reached`` are the layers that stations of the path were reached through, as quickly as ever.
    ``asked`` says that the application asks its database more often than before. ``doubts`` are those of ``still``
    with single readings far above the usual, too few to be more than chance.
    ``open`` are layers of which a metric's movement was taken back: they are neither named for it nor cleared.
    """

    moved: Mapping[Layer, Sequence[Evidence]] = field(default_factory=dict)
    still: Mapping[Layer, Sequence[Evidence]] = field(default_factory=dict)
    release: Sequence[Evidence] = ()
    beside: Mapping[Layer, Sequence[Evidence]] = field(default_factory=dict)
    reached: frozenset[Layer] = frozenset()
    asked: Sequence[Evidence] = ()
    doubts: Mapping[Layer, Sequence[Evidence]] = field(default_factory=dict)
    open: frozenset[Layer] = frozenset()

    def starved(self, layer: Layer) -> bool:
        """Say whether programs of the layer waited for a processor much longer than they usually do."""
        return any(evidence.source.get("metric") == PROCESS_WAIT for evidence in self.moved.get(layer, ()))

    def cleared(self, layer: Layer) -> bool:
        """Say whether the layer was sampled and nothing of it moved."""
        return layer in self.still and layer not in self.moved and layer not in self.open


def surroundings(findings: Sequence[Finding]) -> Surroundings:
    """Collect the findings that carry no part of the excess."""
    told: dict[str, dict[Layer, list[Evidence]]] = {}
    said, back = _covariation(findings), set()
    for layer, evidence in _without_seconds(findings):
        kind, one = _kind(evidence), evidence
        if kind == "moved" and said.get(_whose(layer, evidence)) in TAKEN_BACK:
            kind, one = "beside", replace(evidence, supports=False)
            back.add(layer)
        told.setdefault(kind, {}).setdefault(layer, []).append(one)
    moved, still = told.get("moved", {}), told.get("still", {})
    return Surroundings(
        moved=moved,
        still=still,
        release=told.get("release", {}).get(Layer.APPLICATION, ()),
        beside=told.get("beside", {}),
        reached=frozenset(f.layer for f in findings for e in f.evidence if e.rule == "ladder.reached"),
        asked=told.get("asked", {}).get(Layer.APPLICATION, ()),
        doubts={layer: [one for one in evidence if FAR in one.source] for layer, evidence in still.items()},
        open=frozenset(back),
    )


def _kind(evidence: Evidence) -> str:
    if evidence.rule == "infrastructure.release":
        return "release"
    if evidence.rule.startswith("calls."):
        return "asked"
    if evidence.source.get("metric") in INDECISIVE or evidence.rule.startswith(BESIDE):
        return "beside"
    return "moved" if evidence.supports else "still"


def _without_seconds(findings: Sequence[Finding]) -> Iterator[tuple[Layer, Evidence]]:
    for finding in findings:
        if finding.seconds is None:
            yield from ((finding.layer, evidence) for evidence in finding.evidence)


def _covariation(findings: Sequence[Finding]) -> Mapping[tuple[str, ...], str]:
    """Give what covariation says of each metric of a component, by rule."""
    told = _without_seconds(findings)
    return {_whose(layer, one): one.rule for layer, one in told if one.rule.startswith("covariation.")}


def _whose(layer: Layer, evidence: Evidence) -> tuple[str, ...]:
    return str(layer), evidence.source.get("component", ""), evidence.source.get("metric", "")
