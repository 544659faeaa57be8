"""What is wrong for a while: one entry when it begins, a second word on it when it ends, none in between."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.model.quality import QualityEvent, QualityKind
from collector.quality.ledger import lasting, tell
from collector.store import Store

Key = tuple[QualityKind, str, str, str]  # kind, site, subject, and who says so


def key(event: QualityEvent) -> Key:
    """Give what tells two lasting entries apart; who says so stands before the first colon of the detail."""
    return event.kind, event.site, event.subject, event.detail.partition(":")[0]


@dataclass(slots=True, kw_only=True)
class Lasting:
    """The open entries of one watcher, which knows them by ``mine``.

    What an earlier process left open is taken over, so that it ends when it is over.
    """

    store: Store
    mine: Callable[[QualityEvent], bool]
    _open: dict[Key, QualityEvent] | None = None
    _waiting: list[QualityEvent] = field(default_factory=list)  # what a full store did not take

    def known(self, now: datetime) -> dict[Key, QualityEvent]:
        """Give what is open. Raises StoreError."""
        if self._open is None:
            self._open = {key(event): event for event in lasting(self.store, now) if self.mine(event)}
        return dict(self._open)

    def begin(self, events: Iterable[QualityEvent], now: datetime) -> None:
        """Tell what is not open yet. Raises StoreError."""
        known = self.known(now)
        self._tell([event for event in events if key(event) not in known])

    def end(self, events: Iterable[QualityEvent]) -> None:
        """Tell the last words: each has its end, or is withdrawn. Raises StoreError."""
        self._tell(list(events))

    def _tell(self, events: list[QualityEvent]) -> None:
        assert self._open is not None
        self._waiting += events
        for event in events:
            if event.until is None and not event.withdrawn:
                self._open[key(event)] = event
            else:
                self._open.pop(key(event), None)
        tell(self.store, self._waiting)
        self._waiting.clear()


def ended(event: QualityEvent, until: datetime, now: datetime) -> QualityEvent:
    """Give the last word on an entry; its amount is how long it lasted."""
    until = max(until, event.at)
    return replace(event, until=until, told_at=now, amount=(until - event.at).total_seconds(), unit="s")
