"""Durations as people write them in a YAML file: ``30 s``, ``250 ms``, ``5 min``, or seconds."""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(written: object) -> float:
    """Read one duration as seconds. Raises ValueError that shows how to write one."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        value = float(written)
    elif isinstance(written, str) and (match := _WRITTEN.fullmatch(written)):
        value = float(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError("is not a duration: write 30 s, 250 ms, 5 min, 2 h, 1 d or a number of seconds")
    if not math.isfinite(value) or value < 0:
        raise ValueError("must be a finite duration of at least 0 s")
    return value


Seconds = Annotated[float, BeforeValidator(seconds)]
