"""What can be set about the pages."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from collector.document import Document, Seconds


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone: write one like Europe/London") from None
    return name


class PagesSettings(Document):
    """Section ``pages:`` of whichlayer.yaml."""

    banner: str | None = Field(
        default=None, max_length=200, description="a line shown on every page, such as that the data are synthetic"
    )
    timezone: Annotated[str, AfterValidator(_known)] | None = Field(
        default=None,
        description="zone that times are shown in, such as Europe/London; without it the zone of this machine",
    )
    recent_minutes: int = Field(
        default=120,
        ge=5,
        le=1440,
        description="how many minutes of runs the overview draws, and looks for a last run in",
    )
    stale_after_intervals: float = Field(
        default=3.0,
        ge=1.5,
        le=100,
        description="a journey is stale when this many of its usual intervals have passed without a run",
    )
    stale_after_at_least: Seconds = Field(
        default=60.0, ge=1, description="a journey is never called stale sooner than this after its last run"
    )
    conclusion_stale_after: Seconds = Field(
        default=900.0, ge=10, description="a conclusion about runs older than this is shown as stale, whatever it says"
    )
    agent_silent_after: Seconds = Field(
        default=900.0, ge=10, description="an agent not heard for this long is shown as silent"
    )

    def zone(self) -> ZoneInfo | None:
        """Give the zone, None for this machine's own."""
        return ZoneInfo(self.timezone) if self.timezone else None
