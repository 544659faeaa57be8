"""The truth of a simulated world: who added how many seconds to which step of which access, and who did nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analysis.truth.world import Fault, World
from collector.model.access import Population
from collector.model.layer import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What stands beside a window, never in it.

    ``inseparable`` are layers that nothing in the window tells apart: one of them did it, and it cannot say which.
    ``rose`` are layers of which a metric rose in the fault's time though nobody there did anything.
    """

    world: World
    inseparable: frozenset[Layer] = field(default_factory=frozenset)
    rose: frozenset[Layer] = field(default_factory=frozenset)

    def seconds(self, step: str, population: Population) -> Mapping[Layer | None, float]:
        """Give the seconds a run of the step takes longer, on average, by layer; None is what nothing measures."""
        found: dict[Layer | None, float] = {}
        for fault in self._faults(step, population):
            found[fault.layer] = found.get(fault.layer, 0.0) + fault.hit * sum(fault.seconds.values())
            if fault.untold:
                found[None] = found.get(None, 0.0) + fault.hit * fault.untold
        return found

    def shares(self, step: str, population: Population) -> Mapping[Layer | None, float]:
        """Give the same as shares of all that was added; nothing where nothing was."""
        seconds = self.seconds(step, population)
        total = sum(seconds.values())
        return {layer: value / total for layer, value in seconds.items()} if total else {}

    def slowed(self, step: str, population: Population, start: datetime, end: datetime) -> bool:
        """Say whether a fault slowed this step from this access at any time from ``start`` to ``end``."""
        begin = self.world.begin
        return any(
            begin + timedelta(seconds=fault.start) <= end
            and start < begin + timedelta(seconds=min(fault.end, self.world.seconds))
            for fault in self._faults(step, population)
        )

    @property
    def guilty(self) -> frozenset[Layer]:
        """Name every layer that added anything anywhere."""
        return frozenset(fault.layer for fault in self.world.faults if fault.layer and fault.seconds)

    def _faults(self, step: str, population: Population) -> list[Fault]:
        return [
            fault
            for fault in self.world.faults
            if step in fault.steps and population in fault.populations and (fault.seconds or fault.untold)
        ]
