"""When things happen in the collector: sources are read, facts are committed. Knows APScheduler, alone."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from collector import sources
from collector.model.errors import SourceError, WhichlayerError
from collector.model.quality import detail
from collector.plugin import load
from collector.quality.reading import SourceWatch
from collector.settings import SourceSettings
from collector.source import OpenSource, ResumingSource, Source
from collector.store import Batch, Store

_LOG = structlog.get_logger("whichlayer.collector")
_LONGEST_PAUSE = timedelta(minutes=10)
SENDER = "collector"


class Clockwork:
    """One scheduler, in UTC: an hour that comes twice, or never, in local time does not exist there."""

    def __init__(self) -> None:
        """Get ready; nothing runs before ``start``."""
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._ends: list[Callable[[], None]] = []

    def every(self, seconds: float, name: str, work: Callable[[], object]) -> None:
        """Do ``work`` every so often; a mistake in it is logged and it is done again next time."""
        self._scheduler.add_job(_guarded(name, work), "interval", seconds=seconds, id=name)

    def read(self, number: int, entry: SourceSettings, *, site: str, store: Store, data: Path) -> None:
        """Read one source every so often. Raises ConfigError, PluginError and SourceError when it cannot be opened.

        ``data`` is the folder in which a source that resumes remembers.
        """
        plugin = load(sources, entry.kind, Source)
        opened = plugin.open(site=site, component=entry.component, settings=entry.settings)
        if isinstance(opened, ResumingSource):
            opened.resume(data)
        name = f"{entry.kind} {entry.component}"
        watch = SourceWatch(store=store, site=site, component=entry.component, name=name)
        reading = Reading(source=opened, store=store, name=name, watch=watch)
        self._ends.append(opened.close)
        self.every(entry.every, f"source {number}: {reading.name}", reading)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let running work finish, begin nothing new, close the sources."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        for end in self._ends:
            end()


@dataclass(slots=True, kw_only=True)
class Reading:
    """Reads one source into the store; after a failure it waits longer each time, for ever after a permanent one."""

    source: OpenSource
    store: Store
    name: str
    watch: SourceWatch | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _failures: int = 0
    _not_before: datetime | None = None
    _stopped: bool = False
    _numbers: Any = field(default_factory=itertools.count)
    _began: int = field(default_factory=time.time_ns)

    def __call__(self) -> None:
        """Read once, unless it is to wait."""
        now = self.clock()
        if self._stopped or (self._not_before is not None and now < self._not_before):
            return
        try:
            facts = self.source.read()
        except SourceError as error:
            self._failed(error, now)
            return
        if self._failures:
            _LOG.info("source can be read again", source=self.name)
        self._failures, self._not_before = 0, None
        resuming = self.source if isinstance(self.source, ResumingSource) else None
        if facts:
            which = f"{self._began}:{next(self._numbers)}" if resuming is None else resuming.name()
            self.store.append(Batch.of(facts, batch_id=f"{SENDER}:{self.name}:{which}", sender=SENDER))
            if resuming is not None:
                resuming.kept()
        if self.watch is not None:
            self.watch.heard(now, facts)

    def _failed(self, error: SourceError, now: datetime) -> None:
        self._failures += 1
        self._stopped = error.permanent
        pause = min(timedelta(seconds=10) * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
        self._not_before = now + pause
        again = "never: change its settings and restart" if error.permanent else f"in {pause.total_seconds():.0f} s"
        _LOG.warning("source cannot be read", source=self.name, reason=detail(str(error)), again=again)
        if self.watch is not None:
            self.watch.failed(now, str(error), permanent=error.permanent)


def _guarded(name: str, work: Callable[[], object]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            work()
        except WhichlayerError as error:
            _LOG.warning("work failed", work=name, reason=str(error))
        except Exception:  # noqa: BLE001  a mistake in one job must not end the others
            _LOG.exception("work failed", work=name)

    return guarded
