"""The contract of a fault: one real thing that is made bad, and the layer that is then to blame.

``PLUGIN`` of a module in ``deploy/lab/faults/``. How strong a fault is, is drawn between 0 (just
enough for people to notice) and 1 (plainly bad).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A fault that is on. ``stop`` makes it good again; ``turn`` gives it another strength while it is on.

    Without ``turn`` its strength stays what it was at the start: a release cannot become half a release.
    """

    stop: Callable[[], None]
    turn: Callable[[float], None] | None = None


@runtime_checkable
class Fault(Protocol):
    """A kind of fault. It says nothing to anybody: what it does is known to the demo only."""

    words: str
    """What happens, in words, for the people who are told afterwards."""
    truth: Layer | None
    """The layer that is to blame; None when nothing is slower and nobody must be blamed."""

    link: Link | None
    """The access it is true of; None when it is true of all."""

    def skipped_because(self, world: World) -> str | None:
        """Say what this machine does not offer; None when the fault can be made."""
        ...

    def start(self, world: World, strength: float) -> Running:
        """Make it bad. Raises LabError."""
        ...
