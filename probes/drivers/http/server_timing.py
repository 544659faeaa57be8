"""What the server says about its own time: the ``Server-Timing`` header, as phases."""

import math
import re
from collections.abc import Iterable, Mapping

from collector.model.run import Phase

# The header's names are free; these are the ones in common use. Any other name is left out.
_NAMES = {
    "app": Phase.SERVER_APP,
    "db": Phase.SERVER_DB,
    "sql": Phase.SERVER_DB,
    "database": Phase.SERVER_DB,
    "storage": Phase.SERVER_STORAGE,
    "disk": Phase.SERVER_STORAGE,
    "ext": Phase.SERVER_EXTERNAL,
    "external": Phase.SERVER_EXTERNAL,
    "identity": Phase.SERVER_IDENTITY,
    "directory": Phase.SERVER_IDENTITY,
    "ldap": Phase.SERVER_IDENTITY,
    "idp": Phase.SERVER_IDENTITY,
}
_TOTAL = "total"
_ENTRY = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"]*)')


def parse(headers: Iterable[str]) -> Mapping[Phase, float]:
    """Give the server's phases in seconds (the header has milliseconds); entries without ``dur`` say nothing.

    A server that gives ``total`` and no ``app`` has the rest of the total as its application's time.
    """
    phases: dict[Phase, float] = {}
    total: float | None = None
    for entry in _ENTRY.findall(",".join(headers)):
        name = entry.split(";", 1)[0].strip().lower()
        seconds = _seconds(entry)
        if seconds is None:
            continue
        if name == _TOTAL:
            total = (total or 0.0) + seconds
        elif name in _NAMES:
            phases[_NAMES[name]] = phases.get(_NAMES[name], 0.0) + seconds
    if total is not None and Phase.SERVER_APP not in phases:
        phases[Phase.SERVER_APP] = max(0.0, total - math.fsum(phases.values()))
    return phases


def _seconds(entry: str) -> float | None:
    written = next((value for name, value in _PARAMETER.findall(entry) if name.lower() == "dur"), "")
    try:
        seconds = float(written.strip(' "')) / 1000
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
