"""The contract of an infrastructure source the collector reads by itself."""

from collections.abc import Mapping
from pathlib import Path
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
class ResumingSource(OpenSource, Protocol):
    """A source that goes on after a restart exactly where it was: no hole and nothing twice."""

    def resume(self, data: Path) -> None:
        """Take up, before the first reading, what it remembers in the collector's data folder. Raises SourceError."""
        ...

    def name(self) -> str:
        """Name what ``read`` gave last. The same facts, given again, have the same name, also after a restart."""
        ...

    def kept(self) -> None:
        """Take note that what ``read`` gave last is on disk; until then ``read`` gives it again."""
        ...


@runtime_checkable
class Source(Protocol):
    """A kind of source: ``PLUGIN`` of a module in ``collector/sources/``."""

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> OpenSource:
        """Open with the settings of one entry of ``collector.sources``; unknown keys raise ConfigError."""
        ...
