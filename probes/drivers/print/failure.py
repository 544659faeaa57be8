"""Why printing did not end well: what a printer says, as kind and words.

``docs/drivers/print.md`` lists the kinds. IPP's own words (RFC 8011, PWG 5100.9) carry a severity
behind them, ``media-empty-error``; printers do not agree on it, so it is taken off.
"""

from collections.abc import Sequence

from collector.model.run import Outcome
from probes.drivers.http.failure import StepEnded

_SEVERITIES = ("-report", "-warning", "-error")

_REASONS = {
    "media-empty": "out_of_paper",
    "media-needed": "out_of_paper",
    "input-tray-missing": "out_of_paper",
    "media-jam": "jam",
    "cover-open": "open",
    "door-open": "open",
    "interlock-open": "open",
    "toner-empty": "out_of_toner",
    "marker-supply-empty": "out_of_toner",
    "developer-empty": "out_of_toner",
    "offline": "offline",
    "shutdown": "offline",
    "timed-out": "offline",
    "connecting-to-device": "offline",
    "spool-area-full": "spool_full",
    "paused": "paused",
    "moving-to-paused": "paused",
}

_STATUSES = {
    0x0401: "authorization",
    0x0402: "authorization",
    0x0403: "authorization",
    0x0406: "not_found",
    0x040A: "format",
    0x0410: "format",
    0x0506: "rejecting",
    0x0507: "busy",
    0x050A: "rejecting",
    0x050B: "busy",
}

_HTTP_STATUSES = {401: "authorization", 403: "authorization", 404: "not_found"}


def bare(reason: str) -> str:
    """Give a reason without its severity."""
    for severity in _SEVERITIES:
        reason = reason.removesuffix(severity)
    return reason


def hindrance(reasons: Sequence[str]) -> str | None:
    """Give the kind of what keeps a printer from printing, a person's will first; None if nothing does."""
    kinds = [_REASONS[bare(reason)] for reason in reasons if bare(reason) in _REASONS]
    return "paused" if "paused" in kinds else next(iter(kinds), None)


def refusal(status: int, name: str, http: int | None = None) -> StepEnded:
    """Say what an IPP status, or the HTTP status in its place, means for the step."""
    kind = _STATUSES.get(status, "refused") if http is None else _HTTP_STATUSES.get(http, "refused")
    return StepEnded(Outcome.FAILED, kind, f"the printer answered {name}")
