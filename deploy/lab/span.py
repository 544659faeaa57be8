"""A stretch of time, as it happened."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class Span:
    """From ``begin`` on; ``end`` is None while it lasts."""

    begin: datetime
    end: datetime | None = None

    @classmethod
    def opened(cls) -> "Span":
        """Begin one now."""
        return cls(datetime.now(UTC))

    def close(self) -> None:
        """End it now, if it has not ended."""
        self.end = self.end or datetime.now(UTC)

    def holds(self, moment: datetime) -> bool:
        """Say whether ``moment`` lies in it."""
        return self.begin <= moment and (self.end is None or moment < self.end)
