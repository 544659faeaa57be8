"""One scenario made for real, and what whichlayer said of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.conclude import worst
from collector.model.layer import Layer
from collector.model.verdict import Reference, Status, Verdict
from collector.public import verdict_json
from deploy.lab.rules.judge import Said
from deploy.lab.site import Site
from deploy.lab.span import Span
from deploy.lab.trials.injector import Injected, Injector
from deploy.lab.trials.judging import Truth, reading
from deploy.lab.trials.scenario import Planned
from deploy.lab.trials.timetable import watched
from deploy.lab.trials.usual import check_alive, late

_POLL = 1.0  # seconds


@dataclass(slots=True, kw_only=True)
class Windows:
    """What was said of each step and access at each look of the analysis."""

    seen: dict[tuple[object, ...], Status] = field(default_factory=dict)

    def add(self, standing: Sequence[Verdict]) -> None:
        """Count what stands now; nothing is counted twice."""
        for one in standing:
            self.seen[one.reached_at, one.journey, one.step, one.population, one.environment] = one.status

    def counted(self) -> dict[str, int]:
        """Give how often each status was given."""
        return {str(status): sum(one is status for one in self.seen.values()) for status in Status}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one scenario.

    ``verdicts`` are those it was judged by, ``why``'s first one first, and ``held`` what was said after some more
    runs. ``seconds`` is from the start of the latest of the faults that are to blame until it was judged, None when
    nobody was named. ``named`` are the truths that were named, ``strangers`` the layers that were blamed though
    nobody is to blame there. In ``off`` all was as usual.
    ``late`` is how many seconds behind the analysis was when it was judged.
    """

    name: str
    words: str
    truths: tuple[Truth, ...]
    named: frozenset[Truth] = frozenset()
    strangers: tuple[Layer, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    held: tuple[Verdict, ...] = ()
    seconds: float | None = None
    skipped: str | None = None
    injected: tuple[Injected, ...] = ()
    off: tuple[Span, ...] = ()
    windows: Windows | None = None
    late: float | None = None
    judged_at: datetime | None = None
    rules: Said | None = None  # what Prometheus beside said

    @property
    def verdict(self) -> Verdict | None:
        """Give the verdict that ``why`` puts first, None when nothing was said."""
        return self.verdicts[0] if self.verdicts else None

    @property
    def right(self) -> bool:
        """Say whether everybody who is to blame was named, and nobody else."""
        if self.skipped is not None:
            return False
        if not self.truths:
            return not self.verdicts
        return not self.strangers and self.named == frozenset(self.truths)

    @property
    def refused(self) -> bool:
        """Say whether somebody was to blame and nobody was named."""
        return self.skipped is None and bool(self.truths) and not self.named and not self.strangers

    def json(self) -> dict[str, Any]:
        """Give the line of ``demo --json``, where one is to blame at most."""
        return {
            "fault": self.name,
            "truth": str(self.truths[0].layer) if self.truths else None,
            "verdict": self.verdict and verdict_json(self.verdict),
            "right": None if self.skipped else self.right,
            "seconds_to_verdict": self.seconds and round(self.seconds, 1),
            "skipped": self.skipped,
        }


def make(site: Site, planned: Planned, *, hold_runs: int = 0, alone: bool = False) -> Trial:
    """Run one scenario, wait for what is said, and make everything good again.

    From the start, it begins before the site does, and the site is started here. Faults stay on until there are
    ``hold_runs`` runs with them; with ``alone``, each of several faults is then made by itself for as many.
    """
    injector = Injector(site.world, planned)
    words = ", ".join(part.plugin.words for part in planned.scenario.faults) or planned.scenario.words
    if injector.skipped is not None:
        return Trial(name=planned.name, words=words, truths=injector.truths, skipped=injector.skipped)
    limit = watched(planned, site.pace.runs)
    if planned.scenario.from_start:
        limit += site.pace.learning_seconds
        words += ", since the first run"
    off = _quiet_before(site, planned)
    try:
        injector.advance()
        if planned.scenario.from_start:
            site.start()
        watch = _Watch(site, injector, Reference.TARGET if planned.scenario.from_start else Reference.EXPECTED)
        trial = watch.judged(planned.name, words, limit)
        held = watch.hold(hold_runs)
        if alone and hold_runs and len(planned.guilty) > 1:
            watch.each_alone(hold_runs)
    finally:
        injector.stop()
    if planned.scenario.from_start and hold_runs:
        off = (_quiet_after(site, hold_runs),)
    return replace(trial, held=held, off=off)


def _quiet_before(site: Site, planned: Planned) -> tuple[Span, ...]:
    """Give when all was as usual: with the same ordinary work, where there is some."""
    for span in site.quiet:
        span.close()
    first = min((part.start for part in planned.scenario.faults), default=0.0)
    now = datetime.now(UTC)
    lead = Span(now, now + timedelta(seconds=first))
    return (lead,) if planned.scenario.load is not None else (*site.quiet, lead)


def _quiet_after(site: Site, runs: int) -> Span:
    after = Span.opened()
    time.sleep((runs + 1) * site.pace.runs)
    after.close()
    return after


class _Watch:
    """Looks at the stored verdicts, from now on, as anybody can who asks the collector; the injector goes on."""

    def __init__(self, site: Site, injector: Injector, against: Reference) -> None:
        self._site, self._injector, self._against = site, injector, against
        # A run that was under way when the watch began belongs to it.
        self._since = datetime.now(UTC) - timedelta(seconds=site.pace.runs)
        self._windows = None if injector.truths else Windows()

    def judged(self, name: str, words: str, limit: float) -> Trial:
        """Wait until everybody who is to blame was named or somebody else was; nobody to blame: all the time."""
        truths, named, found = self._injector.truths, frozenset[Truth](), list[Verdict]()
        strangers: tuple[Layer, ...] = ()
        seconds: float | None = None
        while self._injector.elapsed() < limit and seconds is None:
            self._tick()
            now = self._open()
            found = now or found
            told = reading(self._injector.begun(), now)
            named, strangers = named | told.named, tuple(dict.fromkeys((*strangers, *told.strangers)))
            if truths and (strangers or named == set(truths)):
                seconds = self._seconds()
        return Trial(
            name=name,
            words=words,
            truths=truths,
            named=named,
            strangers=strangers,
            verdicts=_first_naming(found),
            seconds=seconds,
            injected=tuple(self._injector.injected),
            windows=self._windows,
            late=late(self._site),
        )

    def hold(self, runs: int) -> tuple[Verdict, ...]:
        """Wait until so many runs were made with the latest fault on; gives what is said then."""
        began = self._injector.latest_begin()
        if not runs or began is None:
            return ()
        enough = began + timedelta(seconds=(runs + 1) * self._site.pace.runs + 2 * self._site.pace.analysis)
        while datetime.now(UTC) < enough:
            self._tick()
        return _first_naming(self._open())

    def each_alone(self, runs: int) -> None:
        """Make each fault that somebody is to blame for by itself, for so many runs."""
        for one in self._injector.injected:
            if one.truth is None:
                continue
            self._injector.leave(one)
            time.sleep((runs + 1) * self._site.pace.runs)
            check_alive(self._site)
            one.stop()

    def _tick(self) -> None:
        time.sleep(_POLL)
        check_alive(self._site)
        self._injector.advance()
        if self._windows is not None:
            self._windows.add([one for one in self._site.standing() if one.against is self._against])

    def _open(self) -> list[Verdict]:
        """Give the open verdicts that began in our time; when nobody is to blame, those that ended too."""
        found = self._site.verdicts(self._since, datetime.now(UTC))
        mine = [one for one in found if one.start >= self._since and one.against is self._against]
        return [one for one in mine if one.open] if self._injector.truths else mine

    def _seconds(self) -> float:
        began = self._injector.latest_begin() or self._since
        return (datetime.now(UTC) - began).total_seconds()


def _first_naming(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    return tuple(sorted(verdicts, key=lambda verdict: (not verdict.blamed, worst(verdict))))
