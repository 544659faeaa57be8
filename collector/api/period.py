"""The period a reading door is asked for: ``?start=…&end=…``, by default the last 30 days."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from collector.api.doors import Doors
from collector.api.intake import check_year

Start = Annotated[AwareDatetime | None, Query(description="with its time zone; default: 30 days before end")]
End = Annotated[AwareDatetime | None, Query(description="with its time zone; default: now")]


def period(here: Doors, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Fill in what was not asked for. Raises RejectedBatch for times no clock could have shown."""
    last = end or here.clock()
    check_year("end", last)
    first = start or last - timedelta(days=30)
    check_year("start", first)
    return first, last
