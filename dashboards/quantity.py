"""Numbers as people read them: rounded to what they can carry, with their unit."""

import math

from collector.model.verdict import Interval, Share

_BYTES = ("B", "kB", "MB", "GB", "TB")


def seconds(value: float) -> str:
    """Write a duration: "42 ms", "0.42 s", "4.2 s", "42 s", "3 min 20 s"."""
    size = abs(value)
    if size < 0.0995:
        return f"{_plain(value * 1000, 0 if size >= 0.00995 or size == 0 else 1)} ms"
    if size < 120:
        return f"{_plain(value, _decimals(size))} s"
    if size < 7200:
        minutes, rest = divmod(round(size), 60)
        sign = "-" if value < 0 else ""
        return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"
    return f"{_plain(value / 3600, 1)} h"


def seconds_range(low: float, high: float) -> str:
    """Write a range with its unit once where it can: "3.9 to 4.5 s", "80 ms to 1.2 s"."""
    first, last = seconds(low), seconds(high)
    if first == last:
        return first
    head, _, unit = first.rpartition(" ")
    if unit == last.rpartition(" ")[2] and "min" not in first + last:
        return f"{head} to {last}"
    return f"{first} to {last}"


def interval(value: Interval) -> str:
    """Write an estimate with its interval: "4.2 s (3.9 to 4.5 s)"."""
    found, around = seconds(value.estimate), seconds_range(value.low, value.high)
    return found if around == found else f"{found} ({around})"


def percent(share: float) -> str:
    """Write a share as a whole percentage; what is not quite nothing or all is not called so."""
    number = share * 100
    if 0 < number < 1:
        return "< 1 %"
    if 99 < number < 100:
        return "> 99 %"
    return f"{number:.0f} %"


def percent_range(low: float, high: float) -> str:
    """Write a range of shares: "70 to 85 %"."""
    first, last = f"{low * 100:.0f}", f"{high * 100:.0f}"
    return f"{last} %" if first == last else f"{first} to {last} %"


def share(value: Share) -> str:
    """Write a share with its interval: "12 % (5 to 20 %)"."""
    return f"{percent(value.share)} ({percent_range(value.low, value.high)})"


def ago(age_seconds: float) -> str:
    """Write an age: "just now", "12 s ago", "5 min ago", "3 h ago", "4 days ago"."""
    return "just now" if age_seconds < 1 else f"{span(age_seconds)} ago"


def span(length_seconds: float) -> str:
    """Write a length of time in one unit: "12 s", "5 min", "3 h", "4 days"."""
    if length_seconds < 99.5:
        return f"{length_seconds:.0f} s" if length_seconds >= 0.5 else "under 1 s"
    if length_seconds < 99.5 * 60:
        return f"{length_seconds / 60:.0f} min"
    if length_seconds < 48 * 3600:
        return f"{length_seconds / 3600:.0f} h"
    return f"{length_seconds / 86400:.0f} days"


def with_unit(value: float, unit: str | None) -> str:
    """Write a value of the metric catalogue (SI units, shares as "1", counts as "{thing}") for people."""
    if unit == "s":
        return seconds(value)
    if unit == "1":
        return f"{_plain(value * 100, 0 if abs(value) >= 0.0995 else 1)} %"
    if unit in {"By", "By/s"}:
        return _bytes(value) + ("/s" if unit == "By/s" else "")
    if unit == "bit/s":
        value, unit = value / 1e6, "Mbit/s"
    number = _plain(value, _decimals(abs(value)))
    if unit is not None and unit.startswith("1/"):
        return f"{number} per {unit[2:]}"
    if unit is not None and unit.startswith("{"):  # a count of something: OpenTelemetry writes it in braces
        return f"{value:.3g} {unit.strip('{}')}{'' if value == 1 else 's'}"
    return f"{number} {unit}" if unit else number


def number(value: float) -> str:
    """Write a number without a unit: "0.42", "4.2", "42", and large ones as "1,890,000", to three digits that count."""
    size = abs(value)
    return f"{float(f'{value:.3g}'):,.0f}" if size >= 999.5 else _plain(value, _decimals(size))


def _decimals(size: float) -> int:
    """Give the decimals that leave about two digits: 0.42, 4.2, 42."""
    if size >= 9.95 or size == 0:
        return 0
    if size >= 0.995:
        return 1
    return 2 if size >= 0.0995 else min(6, 1 - math.floor(math.log10(size)))


def _plain(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def _bytes(value: float) -> str:
    size = value
    for unit in _BYTES[:-1]:
        if abs(size) < 999.5:
            return f"{_plain(size, 0 if unit == 'B' else _decimals(abs(size)))} {unit}"
        size /= 1000
    return f"{_plain(size, _decimals(abs(size)))} {_BYTES[-1]}"
