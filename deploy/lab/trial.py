"""One fault made for real, and what whichlayer said of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.conclude import worst
from collector.model.access import Link
from collector.model.layer import Layer
from collector.model.verdict import Reference, Status, Verdict
from collector.public import verdict_json
from deploy.lab.fault import Fault
from deploy.lab.namespace import LabError
from deploy.lab.site import Site

# Seconds, or as many runs when runs are rare: three to be sure, and some to look.
LIMIT, _LIMIT_RUNS = 120.0, 8  # from the start of a fault to its verdict
_INNOCENT, _INNOCENT_RUNS = 60.0, 6  # in which nothing must be said of an innocent
_RECOVERY, _RECOVERY_RUNS = 120.0, 8  # until journeys must be as usual again
_POLL = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one fault. ``seconds`` is from its start until its verdict could be read."""

    name: str
    words: str
    truth: Layer | None
    link: Link | None = None
    verdict: Verdict | None = None
    seconds: float | None = None
    skipped: str | None = None

    @property
    def right(self) -> bool:
        """Say whether the layer that is to blame was named first, for the access it is true of, and nobody else."""
        if self.skipped is not None:
            return False
        if self.truth is None:
            return self.verdict is None
        if self.verdict is None:
            return False
        where = self.link is None or self.verdict.population.link is self.link
        return where and self.verdict.blamed[0].layer is self.truth

    def json(self) -> dict[str, Any]:
        """Give the line of ``demo --json``."""
        return {
            "fault": self.name,
            "truth": self.truth and str(self.truth),
            "verdict": self.verdict and verdict_json(self.verdict),
            "right": None if self.skipped else self.right,
            "seconds_to_verdict": self.seconds and round(self.seconds, 1),
            "skipped": self.skipped,
        }


def make(site: Site, name: str, fault: Fault, strength: float) -> Trial:
    """Make one fault in a world that is learnt, wait for what is said, and make it good again."""
    problem = fault.skipped_because(site.world)
    if problem is not None:
        return Trial(name=name, words=fault.words, truth=fault.truth, skipped=problem)
    watch = Watch(site, Reference.EXPECTED)
    running = fault.start(site.world, strength)
    try:
        if fault.truth is not None:
            verdict = watch.named(max(LIMIT, _LIMIT_RUNS * site.pace.runs))
        else:
            verdict = watch.anything(max(_INNOCENT, _INNOCENT_RUNS * site.pace.runs))
    finally:
        running.stop()
    return _trial(name, fault, verdict, watch)


def make_from_start(site: Site, name: str, fault: Fault, strength: float) -> Trial:
    """Make a fault before the site has seen anything: only a declared target can show it."""
    problem = fault.skipped_because(site.world)
    if problem is not None:
        return Trial(name=name, words=fault.words, truth=fault.truth, skipped=problem)
    running = fault.start(site.world, strength)
    try:
        site.start()
        watch = Watch(site, Reference.TARGET)
        verdict = watch.named(site.pace.learning_seconds + max(LIMIT, _LIMIT_RUNS * site.pace.runs))
    finally:
        running.stop()
    return _trial(name, fault, verdict, watch)


def _trial(name: str, fault: Fault, verdict: Verdict | None, watch: "Watch") -> Trial:
    seconds = watch.elapsed() if verdict is not None else None
    words = f"{fault.words}, since the first run" if watch.against is Reference.TARGET else fault.words
    return Trial(name=name, words=words, truth=fault.truth, link=fault.link, verdict=verdict, seconds=seconds)


class Watch:
    """Looks at the stored verdicts, from now on, as anybody can who asks the collector."""

    def __init__(self, site: Site, against: Reference) -> None:
        self.against = against
        self._site = site
        self._began = datetime.now(UTC)
        self._clock = time.monotonic()

    def elapsed(self) -> float:
        """Give the seconds since the watch began."""
        return time.monotonic() - self._clock

    def named(self, limit: float) -> Verdict | None:
        """Wait for an open verdict that names a layer; of several, the one ``why`` puts first."""
        return self._wait(limit, lambda found: [verdict for verdict in found if verdict.open and verdict.blamed])

    def anything(self, limit: float) -> Verdict | None:
        """Wait, in the hope that nothing is said."""
        return self._wait(limit, list)

    def _wait(self, limit: float, wanted: Callable[[Sequence[Verdict]], list[Verdict]]) -> Verdict | None:
        while self.elapsed() < limit:
            time.sleep(_POLL)
            check_alive(self._site)
            found = wanted(self._new())
            if found:
                return min(found, key=worst)
        return None

    def _new(self) -> list[Verdict]:
        # A run that was under way when the watch began belongs to it.
        since = self._began - timedelta(seconds=self._site.pace.runs)
        found = self._site.verdicts(since, datetime.now(UTC))
        return [verdict for verdict in found if verdict.start >= since and verdict.against is self.against]


def learn(site: Site, progress: Callable[[float, float], None]) -> str | None:
    """Wait until every access has its baseline; gives what is not as usual after that, None when all is.

    ``progress`` is told the seconds gone and the seconds it takes.
    """
    began = time.monotonic()
    whole = site.pace.learning_seconds
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
    while time.monotonic() - began < max(_RECOVERY, _RECOVERY_RUNS * site.pace.runs):
        time.sleep(_POLL)
        if time.monotonic() - began > 2 * site.pace.analysis and _restless(site) is None:
            return None
    return _restless(site)


def _restless(site: Site) -> str | None:
    said = [verdict for verdict in site.standing() if verdict.against is Reference.EXPECTED]
    if len({verdict.population for verdict in said}) < site.accesses:
        return "not every access has been measured"
    restless = [verdict for verdict in said if verdict.status is not Status.NORMAL]
    if not restless:
        return None
    first = min(restless, key=worst)
    return f"{first.step} over {first.population} is {str(first.status).replace('_', ' ')}"


def check_alive(site: Site) -> None:
    """Raise LabError when a program of the lab has ended by itself."""
    for program in site.world.programs.dead():
        raise LabError(f"{program.name} has ended: {program.last_words()}")
