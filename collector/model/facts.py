"""What a sender, a source or a file says: facts of any kind, side by side."""

from dataclasses import dataclass

from collector.model.quality import QualityEvent
from collector.model.run import Run
from collector.model.sample import Sample
from collector.model.session import SessionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Runs, samples, session events and remarks on their quality, read together. ``len`` counts all of them."""

    runs: tuple[Run, ...] = ()
    samples: tuple[Sample, ...] = ()
    sessions: tuple[SessionEvent, ...] = ()
    quality: tuple[QualityEvent, ...] = ()

    def __len__(self) -> int:
        return len(self.runs) + len(self.samples) + len(self.sessions) + len(self.quality)
