"""Reads one sampler when it is due, and tells when it could not: a layer of which nothing comes is not a quiet one."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from collector.model.errors import WhichlayerError
from collector.model.sample import Sample
from probes.agent.settings import SamplerEntry
from probes.error_text import short

FAILED = "agent.sampler.failed"
TOLD_AGAIN = 1800.0  # seconds: a collector that was away learns how it is now
_log = structlog.get_logger("whichlayer.agent")


class OwnSample(Protocol):
    """Makes a sample about the agent itself, of now."""

    def __call__(self, metric: str, value: float, **labels: str) -> Sample:
        """Make it."""
        ...


class Sampling:
    """The job of one sampler."""

    def __init__(
        self,
        entry: SamplerEntry,
        read: Callable[[], Sequence[Sample]],
        *,
        keep: Callable[[Sequence[Sample]], None],
        own: OwnSample,
    ) -> None:
        self._entry = entry
        self._read = read
        self._keep = keep
        self._own = own
        self._layers: set[str] = set()
        self._told: tuple[bool, float] | None = None  # whether it failed, and when that was told

    def __call__(self) -> None:
        """Read once."""
        try:
            samples = self._read()
        except WhichlayerError as error:
            if self._told is None or not self._told[0]:
                _log.warning(
                    "cannot sample", sampler=self._entry.sampler, component=self._entry.component, reason=str(error)
                )
            self._tell(failed=True, reason=short(str(error)))
        else:
            self._keep(samples)
            self._layers |= {str(sample.layer) for sample in samples}
            self._tell(failed=False)

    def _tell(self, *, failed: bool, reason: str = "") -> None:
        now = time.monotonic()
        if self._told is not None and self._told[0] is failed and now - self._told[1] < TOLD_AGAIN:
            return
        self._told = failed, now
        of = {"sampler": self._entry.sampler, "of": self._entry.component}
        why = {"layers": " ".join(sorted(self._layers)), "reason": reason} if failed else {}
        self._keep([self._own(FAILED, float(failed), **of, **why)])
