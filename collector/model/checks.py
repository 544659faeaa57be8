"""The few rules many words share, written once: what makes a time, a duration or a name valid."""

import math
import re
from datetime import UTC, datetime

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def aware(field: str, value: datetime) -> None:
    """Refuse a time without a zone: it means another instant on every machine."""
    if value.tzinfo is None:
        raise ValueError(f"{field} must carry its time zone")


def finite(field: str, value: float | None, *, minimum: float | None = None) -> None:
    """Refuse NaN, infinities and values below ``minimum`` (a plain ``< 0`` lets NaN pass)."""
    if value is None:
        return
    if not math.isfinite(value):
        raise ValueError(f"{field} must be a finite number")
    if minimum is not None and value < minimum:
        raise ValueError(f"{field} must be at least {minimum:g}")


def named(field: str, value: str) -> None:
    """Refuse names that would not survive a file name, a metric label or an address."""
    if not NAME.fullmatch(value):
        raise ValueError(f"{field} must be lower-case letters, digits, '.', '_' or '-', at most 100")


def as_name(text: str) -> str:
    """Make a name of what another product calls something; empty when nothing of it can stay."""
    name = re.sub(r"[^a-z0-9._-]", "-", text.lower()).lstrip("._-")[:90].rstrip("-")
    return name if NAME.fullmatch(name) else ""


def utc(value: datetime) -> datetime:
    """Give the same instant in UTC."""
    return value.astimezone(UTC)
