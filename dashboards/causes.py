"""Verdicts with the same answer, told once: ten steps that wait for one volume are one cause."""

from collections.abc import Sequence

from collector.model.verdict import Verdict


def by_cause(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """Put together what has the same status and blames, or cannot tell apart, the same layers; in the order given."""
    groups: dict[tuple[object, ...], list[Verdict]] = {}
    for verdict in verdicts:
        answer = tuple(layer.layer for layer in verdict.blamed) or verdict.inseparable
        key = (verdict.site, verdict.environment, verdict.status, verdict.open, answer)
        groups.setdefault(key, []).append(verdict)
    return list(groups.values())
