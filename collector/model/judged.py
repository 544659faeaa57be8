"""How far the regular analysis has looked, and how many facts lay there: what is more later came late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from collector.model.checks import aware


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """``rows`` counts facts before ``until`` by table and hour (UTC); the analysis read facts up to ``to``."""

    until: datetime
    to: datetime
    rows: Mapping[str, Mapping[datetime, int]]

    def __post_init__(self) -> None:
        aware("until", self.until)
        aware("to", self.to)
