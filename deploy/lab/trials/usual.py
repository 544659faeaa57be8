"""Waits until journeys are as usual: when it is first learnt what that is, and after each scenario."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from analysis.conclude import worst
from collector.model.verdict import Reference, Status
from deploy.lab.namespace import LabError
from deploy.lab.site import Site
from deploy.lab.span import Span

_RECOVERY, _RECOVERY_RUNS = 120.0, 8  # seconds, or as many runs, until journeys must be as usual again
_POLL = 1.0  # seconds


def learn(site: Site, progress: Callable[[float, float], None]) -> str | None:
    """Wait until every access has its baseline; gives what is not as usual after that, None when all is.

    ``progress`` is told the seconds gone and the seconds it takes.
    """
    began, whole = time.monotonic(), site.pace.learning_seconds
    site.quiet.append(Span.opened())
    while (gone := time.monotonic() - began) < 1.5 * whole + 60:
        progress(min(gone, whole), whole)
        check_alive(site)
        time.sleep(_POLL)
        if gone >= whole and _restless(site) is None:
            return None
    return _restless(site)


def recover(site: Site) -> str | None:
    """Wait until journeys are as usual again; gives what still is not, None when all is."""
    began = time.monotonic()
    since = datetime.now(UTC) + timedelta(seconds=2 * site.pace.analysis)
    while time.monotonic() - began < max(_RECOVERY, _RECOVERY_RUNS * site.pace.runs):
        time.sleep(_POLL)
        if datetime.now(UTC) > since and _restless(site, since) is None:
            site.quiet.append(Span(datetime.now(UTC) - timedelta(seconds=site.pace.analysis)))
            return None
    return _restless(site, since)


def late(site: Site) -> float | None:
    """Give how many seconds ago what stands now was concluded, None when nothing was yet."""
    said = site.standing()
    return (datetime.now(UTC) - max(one.reached_at for one in said)).total_seconds() if said else None


def _restless(site: Site, since: datetime | None = None) -> str | None:
    """Say what is not as usual; what was concluded before ``since`` says nothing of now."""
    said = [verdict for verdict in site.standing() if verdict.against is Reference.EXPECTED]
    if len({verdict.population for verdict in said}) < site.accesses:
        return "not every access has been measured"
    if since is not None and max(verdict.reached_at for verdict in said) < since:
        return "the analysis is behind: this machine is too busy"
    restless = [verdict for verdict in said if verdict.status is not Status.NORMAL]
    if not restless:
        return None
    first = min(restless, key=worst)
    return f"{first.step} over {first.population} is {str(first.status).replace('_', ' ')}"


def check_alive(site: Site) -> None:
    """Raise LabError when a program of the lab has ended by itself."""
    for program in site.world.programs.dead():
        raise LabError(f"{program.name} has ended: {program.last_words()}")
