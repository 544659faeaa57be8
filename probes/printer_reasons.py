"""What a printer says of itself by IPP, as the kind of what keeps it from printing.

IPP's own words (RFC 8011, PWG 5100.9) carry a severity behind them, ``media-empty-error``; printers do not
agree on it, so it is taken off.
"""

from collections.abc import Sequence

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


def bare(reason: str) -> str:
    """Give a reason without its severity."""
    for severity in _SEVERITIES:
        reason = reason.removesuffix(severity)
    return reason


def hindrance(reasons: Sequence[str]) -> str | None:
    """Give the kind of what keeps a printer from printing, a person's will first; None if nothing does."""
    kinds = [_REASONS[bare(reason)] for reason in reasons if bare(reason) in _REASONS]
    return "paused" if "paused" in kinds else next(iter(kinds), None)
