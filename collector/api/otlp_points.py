"""Points of OTLP metrics as columns: nearly every number point of a body has its fields in the same places.

Written in the order of their numbers, as protobuf libraries do, the fields of such a point are start, time, value
and then attributes. That is certain, not a guess, once what comes after is attributes and nothing else: a protobuf
message is its fields one after the other. Points of which it is not true are read field by field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

START, WHOLE = 9, 27  # bytes of one of these fields, and of the three
_NO_START = b"\x11" + bytes(8)
_TIME_TAG, _DOUBLE_TAG, _INT_TAG = 0x19, 0x21, 0x31
LATEST_NANOSECONDS = 7_258_118_400 * 10**9  # the year 2200


@dataclass(slots=True)
class Columns:
    """Rows to be: the number of the series, times in nanoseconds (0 is no start), values."""

    numbers: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, number: int, start: int, time: int, value: float) -> None:
        """Add one."""
        self.numbers.append(number)
        self.starts.append(start)
        self.times.append(time)
        self.values.append(value)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Give all of them as arrays."""
        times = (np.array(one, np.uint64) for one in (self.starts, self.times))
        return np.array(self.numbers, np.int32), *times, np.array(self.values, np.float64)


@dataclass(slots=True)
class Heads:
    """Points whose first three fields are in their places, as bytes; ``places`` are where in the body they stood."""

    heads: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    deltas: list[tuple[bool, int]] = field(default_factory=list)  # whether the value is growth, of how many points

    def fit(self) -> bool:
        """Say whether all of them are what they seemed to be."""
        joined = b"".join(self.heads)
        if len(joined) != WHOLE * len(self.heads):
            return False
        sent = np.frombuffer(joined, np.uint8).reshape(-1, WHOLE)
        tags = sent[:, 18]
        fits = (sent[:, 0] == _NO_START[0]) & (sent[:, 9] == _TIME_TAG) & ((tags == _DOUBLE_TAG) | (tags == _INT_TAG))
        return bool(fits.all())

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give starts and times in nanoseconds, and values."""
        sent = np.frombuffer(b"".join(self.heads), np.uint8).reshape(-1, WHOLE)
        starts, times, bits = (np.ascontiguousarray(sent[:, at : at + 8]).view("<u8").ravel() for at in (1, 10, 19))
        values = np.where(sent[:, 18] == _INT_TAG, bits.view("<i8").astype(np.float64), bits.view("<f8"))
        return starts, times, values

    def is_delta(self) -> np.ndarray:
        """Say of which points the value is what it grew since its start."""
        return np.repeat(*np.array(self.deltas or [(False, 0)], np.int64).T).astype(bool)


def cut_of(raw: bytes) -> int:
    """Say where the attributes of a number point begin, if its fields are in their places."""
    return WHOLE if raw[:1] == b"\x11" else WHOLE - START


def head_of(raw: bytes, cut: int) -> bytes | None:
    """Give start, time and value of a number point; None where they are not in their places."""
    head = raw[:cut] if cut == WHOLE else _NO_START + raw[:cut]
    fits = len(head) == WHOLE and head[0] == _NO_START[0] and head[9] == _TIME_TAG
    return head if fits and head[18] in (_DOUBLE_TAG, _INT_TAG) else None


def heads_of(raws: Sequence[bytes], cut: int) -> list[bytes]:
    """Give what would be start, time and value of points that are cut alike; ``Heads.fit`` says whether it is."""
    return [raw[:cut] for raw in raws] if cut == WHOLE else [_NO_START + raw[:cut] for raw in raws]


def periods(starts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Give the seconds between, NaN where there is no start or it is not before."""
    known = (starts > 0) & (starts < times)
    return np.where(known, (times - starts) / 1e9, np.nan)
