"""Whether values can be what their unit says: a table that gives ms where s is mapped is off by a thousand.

Only a warning comes of it: a storage that hangs for a minute is rare, not impossible. Where one bad moment is possible,
the middle value is judged and not the worst.
"""

from collections.abc import Sequence
from statistics import median

from collector.model.metric import Metric

# what the name of a metric ends in, or its unit: the least and the most of its middle value that anybody has seen
_MIDDLE = {
    ".latency": (1e-5, 2.0),
    ".await": (1e-5, 2.0),
    ".roundtrip": (1e-5, 2.0),
    "s": (1e-6, 86_400.0),
    "By": (1e5, 1e14),
    "By/s": (1.0, 1e12),
    "bit/s": (1e3, 1e12),
    "1/s": (1e-7, 1e8),
    "dBm": (-120.0, 0.0),
}
_SHARES = ("utilization", ".share", ".loss", ".steal", ".ready", ".costop", ".pressure", ".retries")
_OF_MANY = {"process.cpu.utilization"}  # counts processors: more than one of them may be busy


def surprise(metric: Metric, values: Sequence[float]) -> str | None:
    """Say what cannot be true of values in the metric's unit, or None."""
    seen = [value for value in values if value != 0.0]
    if not seen or metric.name == "agent.clock.skew":
        return None
    if metric.unit != "dBm" and min(seen) < 0.0:
        return f"{metric.name} is below zero"
    if metric.unit == "1" and metric.name.endswith(_SHARES) and metric.name not in _OF_MANY and max(seen) > 1.05:
        return f"{metric.name} is a share, and it goes up to {max(seen):.4g}"
    end = next((end for end in _MIDDLE if end.startswith(".") and metric.name.endswith(end)), metric.unit)
    least, most = _MIDDLE.get(end, (float("-inf"), float("inf")))
    middle = median(seen)
    if least <= middle <= most:
        return None
    return f"{metric.name} is {middle:.4g} {metric.unit} in the middle"
