"""The contract of a sampler: what an agent can read of the machine it runs on."""

from collections.abc import Mapping, Sequence
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
