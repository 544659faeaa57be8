"""What an infrastructure metric is; the rows themselves are in ``catalogue.py``."""

from dataclasses import dataclass
from enum import StrEnum

from collector.model.layer import Layer


class Direction(StrEnum):
    """Which way a metric goes when its layer gets worse."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"  # says how busy, not how ill: never evidence by itself


class MetricKind(StrEnum):
    """What one value stands for. Values of different kinds are never compared with each other."""

    GAUGE = "gauge"  # what it was at that moment
    RATE = "rate"  # a counter's growth per second over its period
    MEAN = "mean"  # the mean of all operations, or of all moments, of its period
    MAXIMUM = "maximum"  # the worst of its period
    SINGLE = "single"  # one operation, timed by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the catalogue, in SI units.

    ``minimum_shift`` is the smallest change that can matter. ``limit`` is a threshold in use somewhere, with
    ``limit_source`` saying whose it is: a default that a site edits, never a truth; None where nobody gives one.
    """

    name: str
    unit: str
    layer: Layer
    kind: MetricKind
    direction: Direction
    minimum_shift: float
    limit: float | None = None
    limit_source: str = ""
    meaning: str

    def __post_init__(self) -> None:
        if (self.limit is None) != (not self.limit_source):
            raise ValueError(f"{self.name}: a limit needs its source, and a source its limit")
