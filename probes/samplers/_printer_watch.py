"""What two samplers tell of a printer they look at from time to time, and of how it came after logon."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from collector.model.layer import Layer
from collector.model.sample import Sample

_FROM_LOGON = 300.0  # seconds: who first looks later than this may have missed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at a printer that is there: whether it would print, its jobs, its own words."""

    usable: bool
    jobs: int
    words: Sequence[str]


@dataclass(slots=True)
class _Milestone:
    """Something that comes once after logon, between two looks."""

    missed_at: float | None = None  # when it was last seen not to have come
    told: bool = False

    def come(self, now: float, since_logon: float | None) -> tuple[float, float] | None:
        """Give seconds from logon and their ±, once, if it was seen not to have come before."""
        if self.told:
            return None
        self.told = True
        if self.missed_at is None or since_logon is None:
            return None
        half = (now - self.missed_at) / 2
        return max(0.0, since_logon - half), half


@dataclass(slots=True, kw_only=True)
class PrinterWatch:
    """Looks at one printer, and the samples they become. A wait that goes on is no sample of what is waited for."""

    site: str
    component: str
    _comes: Mapping[str, _Milestone] = field(
        default_factory=lambda: {"printer.present": _Milestone(), "printer.usable": _Milestone()}
    )
    _from_logon: bool | None = None

    def samples(self, seen: Seen | None, since_logon: float | None) -> Sequence[Sample]:
        """Tell one look, None when there is no such printer; ``since_logon`` in seconds, None if nobody knows."""
        found = [self._sample("printer.present", float(seen is not None))]
        if seen is not None:
            words = ",".join(seen.words) or "ready"
            found.append(self._sample("printer.usable", float(seen.usable), state=words))
            found.append(self._sample("printer.jobs", float(seen.jobs)))
        if self._from_logon is None:
            self._from_logon = since_logon is not None and since_logon <= _FROM_LOGON
        if not self._from_logon or since_logon is None:
            return found
        return [*found, *self._after_logon(seen, since_logon)]

    def _after_logon(self, seen: Seen | None, since_logon: float) -> Sequence[Sample]:
        now = time.monotonic()
        has = {"printer.present": seen is not None, "printer.usable": seen is not None and seen.usable}
        found = []
        for name, milestone in self._comes.items():
            if has[name] and (come := milestone.come(now, since_logon)):
                seconds, half = come
                found.append(self._sample(f"{name}.after_logon", seconds, uncertainty_seconds=f"{half:.3f}"))
            milestone.missed_at = now
        if not self._comes["printer.usable"].told:
            found.append(self._sample("printer.awaited.after_logon", since_logon))
        return found

    def _sample(self, metric: str, value: float, **labels: str) -> Sample:
        return Sample(
            site=self.site,
            component=self.component,
            layer=Layer.PRINTING,
            metric=metric,
            at=datetime.now(UTC),
            value=value,
            labels=labels,
        )
