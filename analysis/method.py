"""The contract of an attribution method: pure, one file, documented with its mathematics and limits."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from analysis.episode import Episode
from analysis.window import Window
from collector.model.verdict import Finding, MethodUse


@runtime_checkable
class Method(Protocol):
    """``PLUGIN`` of a module in ``analysis/methods/``: no clock, no disk, no randomness of its own.

    ``Finding.seconds`` is a part of the episode's excess: seconds per run when the step is slow,
    failures per run when it is failing.
    """

    use: MethodUse

    def explain(self, window: Window, episode: Episode, *, level: float) -> Sequence[Finding]:
        """Say what this method can of the layers behind one episode; nothing when it cannot.

        Intervals are at ``level``.
        """
        ...
