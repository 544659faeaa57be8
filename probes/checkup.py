"""What a driver needs on its endpoint and what of it is there, for ``whichlayer doctor``."""

import importlib.metadata
import shutil
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing a driver uses. ``found`` says which one is there (a version, a path); None: it is missing.

    What is ``optional`` is for some journeys only: the driver is ready without it.
    """

    name: str
    purpose: str
    install: str  # the command that installs it
    found: str | None
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What a driver found on this endpoint, without reaching any system.

    ``noise_floor_seconds`` is the smallest ± a step can have here and now; None when it cannot be
    measured because something is missing.
    """

    needs: tuple[Need, ...] = ()
    noise_floor_seconds: float | None = None
    noise_floor_of: str = ""  # what the floor is made of, in words

    @property
    def missing(self) -> tuple[Need, ...]:
        """Give what is not there, and without which nothing works."""
        return tuple(need for need in self.needs if need.found is None and not need.optional)


@runtime_checkable
class Patient(Protocol):
    """What a driver may do besides driving: say what it needs here. Takes seconds at most, raises nothing."""

    def doctor(self) -> Checkup:
        """Look at this endpoint, with the settings the driver has."""
        ...


def package(name: str, *, extra: str, purpose: str) -> Need:
    """Look for a Python package, as the index names it, that the extra ``extra`` brings."""
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = None
    return Need(name=name, purpose=purpose, install=f"pip install 'whichlayer[{extra}]'", found=found)


def program(*names: str, debian: str, purpose: str) -> Need:
    """Look for one of these programs, which the Debian package ``debian`` brings."""
    found = next((path for path in map(shutil.which, names) if path), None)
    return Need(name=names[0], purpose=purpose, install=f"apt-get install {debian}", found=found)
