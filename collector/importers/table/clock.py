"""The time of a row: as its mapping says it is written, in its zone, with a word where clocks make it doubtful."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from collector.importers.table.layout import Time
from collector.importers.table.sheet import Cell, Odd

_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001  a local time, as Excel's are
_UNIX = {"unix": 1.0, "unix ms": 1e-3}
_SEEN_AS = {
    "iso": "as 2026-11-26T10:40:00",
    "unix": "in seconds since 1970",
    "unix ms": "in milliseconds since 1970",
    "excel": "in days since 1900",
}


@dataclass(slots=True)
class Clock:
    """Reads the times of one file, and counts those that mean two instants, or none."""

    layout: Time
    zone: ZoneInfo | None
    twice: int = field(default=0, init=False)
    never: int = field(default=0, init=False)

    def at(self, cells: Sequence[Cell]) -> datetime:
        """Give the time of a row in UTC. Raises ValueError that says what is wrong."""
        found = self._written(cells)
        if found.tzinfo is None:
            if self.zone is None:
                raise ValueError("does not say its time zone: give --zone, or zone under time in the mapping")
            found = found.replace(tzinfo=self.zone)
            self._doubt(found)
        return found.astimezone(UTC)

    def warnings(self) -> list[str]:
        """Say what has to be known of the times."""
        found = []
        if self.twice:
            what = "is in the hour that the clocks had twice: taken as the first, it may be an hour off"
            found.append(f"the time of {self.twice} rows {what}")
        if self.never:
            what = "is in the hour that the clocks left out: is the zone right?"
            found.append(f"the time of {self.never} rows {what}")
        return found

    def _written(self, cells: Sequence[Cell]) -> datetime:
        if Odd.UNCALCULATED in cells:
            raise ValueError("is a formula that Excel has not calculated: open and save it there")
        first = cells[0]
        if isinstance(first, datetime):
            second = cells[1] if len(cells) > 1 else None
            return datetime.combine(first.date(), second) if isinstance(second, time) else first
        return self._parsed(" ".join(str(cell).strip() for cell in cells if cell is not None))

    def _parsed(self, text: str) -> datetime:
        form = self.layout.format
        try:
            if form == "iso":
                return datetime.fromisoformat(text)
            if form == "excel" or form in _UNIX:
                return _counted(float(text), form)
            return datetime.strptime(text, form)  # noqa: DTZ007  the zone is put on by the caller
        except (ValueError, OverflowError):
            hint = "" if form == "excel" or not _is_number(text) else "; a number in Excel: write format: excel"
            raise ValueError(f"is no time {_SEEN_AS.get(form, f'as {form}')}{hint}") from None

    def _doubt(self, local: datetime) -> None:
        if local.utcoffset() == local.replace(fold=1).utcoffset():
            return
        there = local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)
        if there == local.replace(tzinfo=None):
            self.twice += 1
        else:
            self.never += 1


def _counted(number: float, form: str) -> datetime:
    if not math.isfinite(number):
        raise ValueError
    if form in _UNIX:
        return datetime.fromtimestamp(number * _UNIX[form], UTC)
    return _EXCEL + timedelta(milliseconds=round(number * 86_400_000))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
