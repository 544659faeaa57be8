"""The contract of an infrastructure source the collector reads by itself."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from collector.model.facts import Facts


@runtime_checkable
class OpenSource(Protocol):
    """A source that is open: it knows where to read and what it read last."""

    def read(self) -> Facts:
        """Read what is new since the last call. Raises SourceError."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Source(Protocol):
    """A kind of source: ``PLUGIN`` of a module in ``collector/sources/``."""

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenSource:
        """Open with the settings of one entry of ``collector.sources``; unknown keys raise ConfigError."""
        ...
