"""Who was right: what is said held against what was done. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.conclude import worst
from collector.model.access import Link
from collector.model.layer import Layer
from collector.model.verdict import Verdict


@dataclass(frozen=True, slots=True, order=True)
class Truth:
    """A layer that is to blame, and the access it is true of; None when it is true of all."""

    layer: Layer
    link: Link | None = None

    def explains(self, layer: Layer, verdict: Verdict) -> bool:
        """Say whether blaming ``layer`` in ``verdict`` is right because of this."""
        return layer is self.layer and self.link in {None, verdict.population.link}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What open verdicts say: the truths they named, and the layers that none of the truths explains."""

    named: frozenset[Truth]
    strangers: tuple[Layer, ...]


def reading(truths: Sequence[Truth], verdicts: Iterable[Verdict]) -> Reading:
    """Read verdicts of one moment.

    When one is to blame (or nobody), what counts is the layer that the first verdict, in the order of
    ``why``, names first. When several are, every layer that any verdict blames counts, for its access.
    """
    blaming = sorted((verdict for verdict in verdicts if verdict.blamed), key=worst)
    if len(truths) > 1:
        said = [(layer.layer, verdict) for verdict in blaming for layer in verdict.blamed]
    else:
        said = [(verdict.blamed[0].layer, verdict) for verdict in blaming[:1]]
    named = frozenset(truth for truth in truths if any(truth.explains(*one) for one in said))
    strangers = [one[0] for one in said if not any(truth.explains(*one) for truth in truths)]
    return Reading(named=named, strangers=tuple(dict.fromkeys(strangers)))
