"""Watches a row of yes/no and says when there are too many in a row of looks to be chance.

A stretch starts when, of the last 6, 10, 15 or 30 rows, more are flagged than the exact binomial
allows for quiet ones; it ends when at most one of the last 8 is. Short looks find hard faults within
seconds, long ones find faults that hit every second run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.statistics import needed

LOOKS = (6, 10, 15, 30)
LONGEST = LOOKS[-1]
RECOVERY_ROWS = 8
RECOVERY_FLAGGED = 1


@dataclass(slots=True)
class Stretch:
    """Rows ``first`` to ``last``, both flagged; ``open`` while it has not ended."""

    first: int
    last: int
    open: bool = True


def limits(quiet_rate: float, false_alarm: float, *, least_share: float = 0.0) -> Mapping[int, int]:
    """Give, per length of look, how many flagged rows start a stretch."""
    return {
        look: max(needed(look, quiet_rate, false_alarm), int(least_share * look) + 1 if least_share else 3)
        for look in LOOKS
    }


@dataclass(slots=True)
class Watch:
    """The state between rows. ``push`` them in time order."""

    flags: list[bool] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    _floor: int = 0

    def push(self, flag: bool, limit: Mapping[int, int]) -> None:
        """Look at one more row."""
        self.flags.append(flag)
        if self.active is not None:
            self._follow(flag)
        elif flag:
            self._fire(limit)

    @property
    def active(self) -> Stretch | None:
        """Give the stretch that has not ended."""
        return self.stretches[-1] if self.stretches and self.stretches[-1].open else None

    def _follow(self, flag: bool) -> None:
        stretch = self.stretches[-1]
        if flag:
            stretch.last = len(self.flags) - 1
        recent = self.flags[max(stretch.first, len(self.flags) - RECOVERY_ROWS) :]
        if len(recent) == RECOVERY_ROWS and sum(recent) <= RECOVERY_FLAGGED:
            stretch.open = False
            self._floor = stretch.last + 1

    def _fire(self, limit: Mapping[int, int]) -> None:
        count = len(self.flags)
        for look, enough in limit.items():
            begin = count - look
            if begin < self._floor:
                return
            if sum(self.flags[begin:]) >= enough:
                first = self.flags.index(True, begin)
                while first > self._floor and self.flags[first - 1]:
                    first -= 1
                self.stretches.append(Stretch(first, count - 1))
                return
