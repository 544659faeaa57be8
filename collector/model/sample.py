"""One value of one infrastructure metric; ``metric.py`` says what each metric means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from collector.model.checks import aware, finite, named
from collector.model.layer import Layer

AT_LEAST: Mapping[str, str] = {"censored": "at_least"}  # the label of a value that is a lower bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one metric of one component at one time, in SI units.

    ``component`` is the stable name of the thing measured ("app-1", "lun-7"), never an address.
    ``period_seconds`` is the span a mean or a rate covers; None for an instantaneous value.
    """

    site: str
    component: str
    layer: Layer
    metric: str
    at: datetime
    value: float
    period_seconds: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named("site", self.site)
        named("component", self.component)
        named("metric", self.metric)
        aware("at", self.at)
        finite("value", self.value)
        finite("period_seconds", self.period_seconds, minimum=0.0)
