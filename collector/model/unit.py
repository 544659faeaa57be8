"""Units as people and products write them, and what they are in the catalogue's units (SI)."""

from collections.abc import Mapping

from collector.model.checks import finite

# as it is written: the unit of the catalogue, and what one of it is in that unit
_UNITS: Mapping[str, tuple[str, float]] = {
    "ns": ("s", 1e-9), "us": ("s", 1e-6), "µs": ("s", 1e-6), "ms": ("s", 1e-3), "s": ("s", 1.0), "min": ("s", 60.0),
    "h": ("s", 3600.0), "100ns": ("s", 1e-7),
    "By": ("By", 1.0), "B": ("By", 1.0), "kB": ("By", 1e3), "MB": ("By", 1e6), "GB": ("By", 1e9),
    "KiB": ("By", 2.0**10), "MiB": ("By", 2.0**20), "GiB": ("By", 2.0**30),
    "By/s": ("By/s", 1.0), "B/s": ("By/s", 1.0), "kB/s": ("By/s", 1e3), "MB/s": ("By/s", 1e6),
    "KiB/s": ("By/s", 2.0**10), "MiB/s": ("By/s", 2.0**20),
    "bit/s": ("bit/s", 1.0), "kbit/s": ("bit/s", 1e3), "Mbit/s": ("bit/s", 1e6), "Gbit/s": ("bit/s", 1e9),
    "1": ("1", 1.0), "%": ("1", 1e-2), "1/s": ("1/s", 1.0), "1/min": ("1/s", 1 / 60), "1/h": ("1/s", 1 / 3600),
    "dBm": ("dBm", 1.0),
    "ms/s": ("1", 1e-3), "ms/20s": ("1", 1e-3 / 20),  # as vCenter sums a waiting time up
    "By/Mbit": ("1", 8e-6),  # bytes a second of a port whose speed is in Mbit a second
}  # fmt: skip


def known() -> tuple[str, ...]:
    """Name every unit that can be converted."""
    return tuple(_UNITS)


def factor(written: str, unit: str) -> float:
    """Say what one ``written`` is in ``unit``, a unit of the catalogue. A thing that is counted is written as itself.

    Raises ValueError when it is another quantity, or a unit nobody knows.
    """
    if written == unit:
        return 1.0
    base, size = _UNITS.get(written, ("", 0.0))
    if base != unit:
        usable = [name for name, (target, _) in _UNITS.items() if target == unit] or [unit]
        raise ValueError(f"{written!r} cannot be turned into {unit}: write one of {', '.join(usable)}")
    return size


def convert(value: float, written: str, unit: str) -> float:
    """Turn a value from ``written`` into ``unit``. Raises ValueError, also when it is not a finite number."""
    finite("value", value)
    return value * factor(written, unit)
