"""The contract of an attribution method: pure, one file, documented with its mathematics and limits."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from analysis.episode import Episode
from analysis.window import Window
from collector.model.verdict import Finding, MethodUse


@runtime_checkable
class Method(Protocol):
    """``PLUGIN`` of a module in ``analysis/methods/``: no clock, no disk, no randomness of its own."""

    use: MethodUse

    def explain(self, window: Window, episode: Episode) -> Sequence[Finding]:
        """Say what this method can of the layers behind one episode; nothing when it cannot."""
        ...
