"""Watches a row of yes/no and says when there are too many in a row of looks to be chance.

A stretch starts when, of the last 6, 10, 15 or 30 rows, more are flagged than the exact binomial
allows for quiet ones; it ends when at most one of the last 8 is. Short looks find hard faults within
seconds, long ones find faults that hit every second run. What stands still now and then needs a longer calm to be over:
such a watch has a recovery of its own.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics import needed

Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

LOOKS = (6, 10, 15, 30)
LONGEST = LOOKS[-1]
RECOVERY_ROWS = 8
RECOVERY_FLAGGED = 1
RARER = 0.01
Limits = Callable[[float, float], Mapping[int, int]]  # from the rate of quiet rows and the chance of a false alarm


@dataclass(slots=True)
class Stretch:
    """Rows ``first`` to ``last``, both flagged; ``open`` while it has not ended."""

    first: int
    last: int
    open: bool = True

    def overlaps(self, other: "Stretch") -> bool:
        """Say whether they have a row in common."""
        return self.first <= other.last and other.first <= self.last


def limits(quiet_rate: float, false_alarm: float, *, least_share: float = 0.0) -> Mapping[int, int]:
    """Give, per length of look, how many flagged rows start a stretch."""
    return {
        look: max(needed(look, quiet_rate, false_alarm), int(least_share * look) + 1 if least_share else 3)
        for look in LOOKS
    }


def in_a_row(quiet_rate: float, false_alarm: float) -> Mapping[int, int]:
    """Give how many flagged rows, one after the other, start a stretch: three, or more where they are less rare.

    Every row is a look of its own, so a false alarm must be a hundred times rarer than for the others.
    """
    rows = max(3, math.ceil(math.log(RARER * false_alarm) / math.log(quiet_rate)))
    return {rows: rows}


class Watch:
    """The state between rows. Rows come in time order, each with its limits."""

    def __init__(self, *, recovery: tuple[int, int] = (RECOVERY_ROWS, RECOVERY_FLAGGED)) -> None:
        """``recovery``: a stretch ends when of so many rows at most so many are flagged."""
        self.stretches: list[Stretch] = []
        self._recovery_rows, self._recovery_flagged = recovery
        self._count = 0
        self._floor = 0
        self._before = np.zeros(1, dtype=np.int64)  # of the rows so far, how many of those before each were flagged

    def push(self, flag: bool, limit: Mapping[int, int]) -> None:
        """Look at one more row."""
        self.follow(np.array([flag]), limit)

    def follow(self, flags: Bools, limit: Mapping[int, int]) -> None:
        """Look at more rows, all with the same limits."""
        while len(flags):
            flags = flags[self.until_change(flags, limit) :]

    def until_change(self, flags: Bools, limit: Mapping[int, int]) -> int:
        """Look at rows up to and with the one at which a stretch starts or ends; give how many that were."""
        begin = self._count
        before = np.concatenate([self._before, self._before[-1] + np.cumsum(flags)])
        rows = np.arange(begin, begin + len(flags))
        changed = self._ends(before, rows) if self.active is not None else self._fires(before, rows, flags, limit)
        taken = int(changed[0]) + 1 if len(changed) else len(flags)
        self._count = begin + taken
        self._before = before[: self._count + 1]
        if self.active is not None:
            self._ended(self.active, ended=bool(len(changed)))
        elif len(changed):
            self._started(limit)
        return taken

    @property
    def active(self) -> Stretch | None:
        """Give the stretch that has not ended."""
        return self.stretches[-1] if self.stretches and self.stretches[-1].open else None

    def _ends(self, before: Rows, rows: Rows) -> Rows:
        """Give the rows, counted from the first new one, at which the active stretch would end."""
        begins = rows + 1 - self._recovery_rows
        flagged = before[rows + 1] - before[np.maximum(begins, 0)]
        return np.flatnonzero((begins >= self.stretches[-1].first) & (flagged <= self._recovery_flagged))

    def _fires(self, before: Rows, rows: Rows, flags: Bools, limit: Mapping[int, int]) -> Rows:
        """Give the rows, counted from the first new one, at which a stretch would start."""
        found = np.zeros(len(rows), dtype=bool)
        for look, enough in limit.items():
            begins = rows + 1 - look
            flagged = before[rows + 1] - before[np.maximum(begins, 0)]
            found |= (begins >= self._floor) & (flagged >= enough)
        return np.flatnonzero(found & flags)

    def _ended(self, stretch: Stretch, *, ended: bool) -> None:
        flagged = np.flatnonzero(np.diff(self._before[stretch.first :]))
        stretch.last = stretch.first + int(flagged[-1])
        if ended:
            stretch.open = False
            self._floor = stretch.last + 1

    def _started(self, limit: Mapping[int, int]) -> None:
        begins = (self._count - look for look, enough in limit.items() if self._flagged(look) >= enough)
        first = next(begins)
        while not self._is_flagged(first):
            first += 1
        while first > self._floor and self._is_flagged(first - 1):
            first -= 1
        self.stretches.append(Stretch(first, self._count - 1))

    def _flagged(self, look: int) -> int:
        """Count the flagged of the last ``look`` rows; none when they reach back before what may be looked at."""
        begin = self._count - look
        return int(self._before[-1] - self._before[begin]) if begin >= self._floor else 0

    def _is_flagged(self, row: int) -> bool:
        return bool(self._before[row + 1] > self._before[row])
