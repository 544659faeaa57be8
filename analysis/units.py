"""Numbers with their units, in the sentences of evidence."""


def duration(seconds: float) -> str:
    """Write seconds for people: "12.3 ms", "4.2 s"."""
    return f"{round(seconds * 1000, 1):.3g} ms" if abs(seconds) < 1 else f"{seconds:.3g} s"


def quantity(value: float, unit: str) -> str:
    """Write a value of the catalogue's unit; a share is written as "%"."""
    if unit == "s":
        return duration(value)
    if unit.startswith("{"):  # a count of something: OpenTelemetry writes it in braces
        return f"{value:.3g} {unit.strip('{}')}{'' if value == 1 else 's'}"
    if unit == "bit/s":
        return f"{value / 1e6:.3g} Mbit/s"
    if unit.startswith("By"):
        return f"{value / 1e6:.3g} MB{unit[2:]}"
    number = f"{round(100 * value, 2):.3g}" if unit == "%" else f"{value:.3g}"
    return number + {"1": "", "1/s": " per second"}.get(unit, f" {unit}")
