"""What was changed, where, by whom, and what it was expected to do."""

from dataclasses import dataclass
from datetime import datetime

from collector.model.checks import aware, finite, named
from collector.model.layer import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the estate. ``end`` is None while it is under way: a SAN migration takes months.

    ``maintenance`` says that the service may be worse meanwhile, by plan: alerts do with it what their rules choose.
    """

    change_id: str
    site: str
    what: str
    layer: Layer
    start: datetime
    end: datetime | None = None
    component: str | None = None
    supplier: str | None = None
    expected_effect: str | None = None
    success_test: str | None = None
    cost: float | None = None
    maintenance: bool = False
    declared_by: str
    declared_at: datetime

    def __post_init__(self) -> None:
        named("change_id", self.change_id)
        named("site", self.site)
        aware("start", self.start)
        aware("declared_at", self.declared_at)
        finite("cost", self.cost, minimum=0.0)
        if self.end is not None:
            aware("end", self.end)
            if self.end < self.start:
                raise ValueError("end must not be before start")
