"""Why printing did not end well: what a printer, a queue or the Windows spooler says, as kind and words.

``docs/drivers/print.md`` lists the kinds; they are the same for all three.
"""

from collections.abc import Iterable

from collector.model.run import Outcome
from probes.drivers.http.failure import StepEnded
from probes.windows.spooler import code

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

# Status of a Windows printer. Those in _STANDING keep it from printing anything at all.
_PRINTER_WORDS = {
    "paused": "paused",
    "pending_deletion": "rejecting",
    "work_offline": "offline",
    "offline": "offline",
    "not_available": "offline",
    "server_unknown": "offline",
    "paper_out": "out_of_paper",
    "paper_problem": "out_of_paper",
    "manual_feed": "out_of_paper",
    "paper_jam": "jam",
    "door_open": "open",
    "no_toner": "out_of_toner",
    "user_intervention": "stopped",
    "bin_full": "stopped",
    "out_of_memory": "stopped",
    "error": "stopped",
}
_STANDING = frozenset(
    {"paused", "pending_deletion", "work_offline", "offline", "not_available", "server_unknown", "error"}
)
_JOB_WORDS = {
    "offline": "offline",
    "paper_out": "out_of_paper",
    "user_intervention": "stopped",
    "blocked": "stopped",
    "error": "stopped",
}
_ERRORS = {
    5: "authorization",  # ERROR_ACCESS_DENIED
    63: "cancelled",  # ERROR_PRINT_CANCELLED
    112: "spool_full",  # ERROR_DISK_FULL
    1702: "connect",  # RPC_S_INVALID_BINDING
    1722: "connect",  # RPC_S_SERVER_UNAVAILABLE: the spooler, or the print server, is not running
    1726: "reset",  # RPC_S_CALL_FAILED
    1753: "connect",  # EPT_S_NOT_REGISTERED
    1801: "not_found",  # ERROR_INVALID_PRINTER_NAME
    1804: "format",  # ERROR_INVALID_DATATYPE
    1905: "not_found",  # ERROR_PRINTER_DELETED
}


def refusal(status: int, name: str, http: int | None = None) -> StepEnded:
    """Say what an IPP status, or the HTTP status in its place, means for the step."""
    kind = _STATUSES.get(status, "refused") if http is None else _HTTP_STATUSES.get(http, "refused")
    return StepEnded(Outcome.FAILED, kind, f"the printer answered {name}")


def standing(words: Iterable[str]) -> str | None:
    """Give the kind of what keeps a Windows printer from printing anything; None if nothing does."""
    return None if _STANDING.isdisjoint(words) else _first(_PRINTER_WORDS, words)


def printer_hindrance(words: Iterable[str]) -> str | None:
    """Give the kind of what a Windows printer complains of; None if it does not."""
    return _first(_PRINTER_WORDS, words)


def job_hindrance(words: Iterable[str]) -> str | None:
    """Give the kind of what keeps a job in the Windows spooler from going on; None if nothing does."""
    return _first(_JOB_WORDS, words)


def spooler_refusal(error: OSError) -> StepEnded:
    """Say what an error of the Windows spooler means for the step; its words may hold names and are left out."""
    number = code(error)
    kind = _ERRORS.get(number or 0, "refused")
    return StepEnded(Outcome.FAILED, kind, f"{kind}: the Windows spooler answered {number or type(error).__name__}")


def _first(kinds: dict[str, str], words: Iterable[str]) -> str | None:
    """Give the kind of the word that stands first in ``kinds``: what is graver stands before."""
    said = set(words)
    return next((kind for word, kind in kinds.items() if word in said), None)
