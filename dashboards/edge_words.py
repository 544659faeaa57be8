"""Printers, external links and the picture of remote sessions, in words and numbers."""

from collections.abc import Mapping

from dashboards import quantity, wording
from dashboards.facts.edges import Edge, Spread

NOTHING: Mapping[str, str] = {
    "remote": "No journey was walked inside a remote session by keystroke, so nothing can be said of its picture.",
    "print": "No journey printed, so nothing can be said of printers.",
    "link": "No journey looked at an external link, so nothing can be said of one.",
}
_SOON = {"certificate_expiring", "client_certificate_expiring"}


def who(edge: Edge) -> str:
    """Name the step and who walks it: "paper of test-page, Cable"; other environments than live are named."""
    where = "" if edge.walked.environment == "live" else f" ({edge.walked.environment})"
    return f"{edge.step} of {edge.walked.journey}, {wording.access(edge.walked.population)}{where}"


def spread(found: Spread | None) -> str:
    """Write "0.33 s (0.31 to 0.42 s)": the median, and what one run in ten is below and above."""
    if found is None:
        return "not measured"
    median, around = quantity.seconds(found.median), quantity.seconds_range(found.low, found.high)
    return median if median == around else f"{median} ({around})"


def good(edge: Edge) -> str:
    """Write "118 of 120"."""
    return f"{edge.good} of {edge.runs}"


def bad(edge: Edge) -> str:
    """Write what went wrong, the most frequent first: "hung 2, media empty 1"."""
    return ", ".join(f"{kind.replace('_', ' ')} {number}" for kind, number in edge.kinds.items()) or "nothing"


def certificate(edge: Edge) -> str:
    """Write how long the certificates are still good: "far end's 81 days left"; that one ends soon is said."""
    left = [
        f"{whose} {_days(edge.facts[name])}"
        for whose, name in (("far end's", "certificate_left"), ("our own", "client_certificate_left"))
        if name in edge.facts
    ]
    return ("ends soon: " if edge.warning in _SOON else "") + (", ".join(left) or "none seen")


def delivery(edge: Edge) -> str:
    """Write of a file or report how old it was, how big, and how long its job took; empty when there was none."""
    said = [
        f"{words} {_amount(edge.facts[name])}"
        for words, name in (("age", "age"), ("size", "size"), ("job took", "took"))
        if name in edge.facts
    ]
    return ", ".join(said) or "no file or report"


def _days(fact: str) -> str:
    number, _, _ = fact.partition(" ")
    return f"{float(number):.0f} days left"


def _amount(fact: str) -> str:
    number, _, unit = fact.partition(" ")
    return quantity.seconds(float(number)) if unit == "s" else quantity.with_unit(float(number), unit)
