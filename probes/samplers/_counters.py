"""Counters of the system into rates: a rate needs two readings, and a counter that went back gives none."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """The last reading of some counters, and when it was taken (monotonic seconds)."""

    at: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    def advance(self, at: float, values: Mapping[str, float]) -> "Growth":
        """Take a new reading; give what grew since the last one."""
        before, since = self.values, self.at
        self.at, self.values = at, dict(values)
        if since is None or at <= since:
            return Growth(seconds=0.0, by={})
        grown = {name: value - before[name] for name, value in values.items() if name in before}
        return Growth(seconds=at - since, by={name: delta for name, delta in grown.items() if delta >= 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much counters grew over ``seconds``; a counter without a usable difference is absent."""

    seconds: float
    by: Mapping[str, float]

    def rate(self, name: str) -> float | None:
        """Give the growth per second, or None."""
        delta = self.by.get(name)
        return None if delta is None or self.seconds <= 0 else delta / self.seconds

    def mean(self, total: str, count: str) -> float | None:
        """Give growth of ``total`` per growth of ``count``; None when nothing was counted."""
        numerator, denominator = self.by.get(total), self.by.get(count)
        return None if numerator is None or not denominator else numerator / denominator
