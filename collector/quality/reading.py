"""What the collector knows of a source it reads itself: since when it cannot be read, and of what it would speak."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.model.facts import Facts
from collector.model.layer import Layer
from collector.model.quality import QualityEvent, QualityKind, detail, event_id
from collector.quality.lasting import Lasting, ended
from collector.store import Store

MOST = 200  # components of one source that get an entry when it fails; a Prometheus may have thousands


@dataclass(slots=True, kw_only=True)
class SourceWatch:
    """Watches one source that speaks of ``component`` and perhaps of others; ``name`` is how it is called."""

    store: Store
    site: str
    component: str
    name: str
    _heard: dict[str, set[Layer]] = field(default_factory=dict)
    _lasting: Lasting = field(init=False)

    def __post_init__(self) -> None:
        self._lasting = Lasting(store=self.store, mine=self._is_mine)

    def failed(self, now: datetime, reason: str, *, permanent: bool) -> None:
        """Note that the source could not be read: once, however often it is tried. Raises StoreError."""
        if self._lasting.known(now):
            return
        ending = ": it is not tried again" if permanent else ""
        why = detail(f"{self.name}: {reason}{ending}")
        known = self._heard or {self.component: set()}
        begun = [
            QualityEvent(
                event_id=event_id(self.site, QualityKind.SOURCE_FAILURE, self.name, subject, now.isoformat()),
                told_at=now,
                at=now,
                site=self.site,
                kind=QualityKind.SOURCE_FAILURE,
                subject=subject,
                layers=tuple(sorted(layers)),
                detail=why,
            )
            for subject, layers in known.items()
        ]
        self._lasting.begin(begun, now)

    def heard(self, now: datetime, facts: Facts) -> None:
        """Note what a reading gave, which ends what failed. Raises StoreError."""
        first: dict[str, datetime] = {}
        for sample in facts.samples:
            first[sample.component] = min(sample.at, first.get(sample.component, sample.at))
            if sample.component in self._heard or len(self._heard) < MOST:
                self._heard.setdefault(sample.component, set()).add(sample.layer)
        over = self._lasting.known(now).values()
        self._lasting.end([_over(event, first.get(event.subject), now) for event in over])

    def _is_mine(self, event: QualityEvent) -> bool:
        named = event.detail.startswith(f"{self.name}:")
        return event.kind is QualityKind.SOURCE_FAILURE and event.site == self.site and named


def _over(event: QualityEvent, first: datetime | None, now: datetime) -> QualityEvent:
    """End a failure; a source that gave later what it had measured meanwhile leaves no layer unknown."""
    made_up_for = first is not None and first - event.at < (now - event.at) / 2
    return replace(ended(event, now, now), layers=() if made_up_for else event.layers)
