"""What a sender, a source or a file says: facts of any kind, side by side."""

from dataclasses import dataclass

from collector.model.host_event import HostEvent
from collector.model.quality import QualityEvent
from collector.model.run import Run
from collector.model.sample import Sample
from collector.model.session import SessionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Runs, samples, session events, hosts' events and remarks on quality, read together. ``len`` counts them all."""

    runs: tuple[Run, ...] = ()
    samples: tuple[Sample, ...] = ()
    sessions: tuple[SessionEvent, ...] = ()
    quality: tuple[QualityEvent, ...] = ()
    host_events: tuple[HostEvent, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, (self.runs, self.samples, self.sessions, self.quality, self.host_events)))
