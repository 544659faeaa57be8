"""Times in the site's local time for people, in UTC for machines."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """``zone`` None is the zone of this machine, summer time as it was at each instant."""

    zone: tzinfo | None = None

    def local(self, at: datetime) -> datetime:
        """Give the same instant in the site's zone."""
        return at.astimezone(self.zone)

    def short(self, at: datetime, *, near: datetime) -> str:
        """Write "10:42" on the local day of ``near``, else "Sat 21 Nov 10:42", with the year if it differs."""
        here, there = self.local(at), self.local(near)
        if here.date() == there.date():
            return here.strftime("%H:%M")
        day = f"{here:%a} {here.day} {here:%b}"
        return f"{day} {here:%H:%M}" if here.year == there.year else f"{day} {here.year} {here:%H:%M}"

    def exact(self, at: datetime) -> str:
        """Write the local date and time to the second."""
        return self.local(at).strftime("%Y-%m-%d %H:%M:%S")

    def name(self, at: datetime) -> str:
        """Name the zone as it was at ``at``: "GMT", "BST", "UTC+02:00"."""
        return self.local(at).tzname() or "local time"


def utc(at: datetime) -> str:
    """Write the instant for machines: ``2026-11-23T10:42:00Z``."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def aware(naive: datetime) -> datetime:
    """Give a time of the store (naive UTC) its zone."""
    return naive.replace(tzinfo=UTC)
