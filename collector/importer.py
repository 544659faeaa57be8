"""The contract of an importer: files that people send become facts, all of a file or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from collector.model.access import Access, Link, Presentation
from collector.model.facts import Facts
from collector.pseudonym import Pseudonyms

NOT_SAID = Access(link=Link.UNKNOWN, presentation=Presentation.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a file is to be read.

    ``mapping`` is a product whose mapping is shipped, or a path; ``component`` names what the file does not name;
    ``zone`` is that of times which do not say theirs; ``endpoint`` and ``access`` are where runs were walked from.
    ``held`` names the endpoint of each user whom a probe signs in as; ``pseudonyms`` gives others' names theirs.
    """

    site: str
    mapping: str | None = None
    component: str | None = None
    zone: ZoneInfo | None = None
    endpoint: str | None = None
    access: Access = NOT_SAID
    held: Mapping[str, str] = field(default_factory=dict)
    pseudonyms: Callable[[], Pseudonyms] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file says. ``unused`` names its columns that no row of the mapping speaks of.

    ``units`` gives the file's own unit of a metric; ``preview`` its headings and first rows, as they stand there.
    """

    facts: Facts
    warnings: Sequence[str] = ()
    unused: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    preview: Sequence[Sequence[str]] = ()


@runtime_checkable
class Importer(Protocol):
    """A kind of file: ``PLUGIN`` of a module in ``collector/importers/``."""

    def knows(self, name: str, head: bytes) -> bool:
        """Say whether a file of this name that begins so is of this kind, and of no other."""
        ...

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole file. Raises ConfigError with every mistake, up to twenty, each with its line."""
        ...
