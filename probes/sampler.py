"""The contract of a sampler: what an agent can read of the machine it runs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from collector.model.sample import Sample


@runtime_checkable
class OpenSampler(Protocol):
    """A sampler that remembers its last counters, so that it can give rates and means."""

    def read(self) -> Sequence[Sample]:
        """Give what is new since the last call; the first call of a rate gives nothing."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


@runtime_checkable
class Sampler(Protocol):
    """A kind of sampler: ``PLUGIN`` of a module in ``probes/samplers/``."""

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenSampler:
        """Open with one entry of ``agent.samplers``; unknown keys raise ConfigError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The most one reading asks of what it touches, and of this machine's processor."""

    operations: int  # requests, packets or system calls that reach the other side
    sent_bytes: int
    received_bytes: int
    cpu_seconds: float


@runtime_checkable
class Active(Protocol):
    """What a sampler has besides when it acts on one layer, and does not only look: a stated cost.

    Its samples are controls, never user experience: a layer whose probe stayed flat was not what made a step slow.
    """

    cost: Cost
