"""Times of runs, taken from the clock: endpoints pair in one slot without talking to each other.

A slot is a multiple of the interval since 1970 in UTC. What happens in it starts a little later, by
a stagger that follows from the endpoint's name, so that not all of them start at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

STAGGER_SHARE = 0.2  # of the interval: what is paired happens close together
STAGGER_MOST = 30.0  # seconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stagger(endpoint: str, every: float) -> float:
    """Give the delay of ``endpoint`` after each slot, in seconds, always the same for one name."""
    share = int.from_bytes(sha256(endpoint.encode()).digest()[:4]) / 2**32
    return round(share * min(every * STAGGER_SHARE, STAGGER_MOST), 3)


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of one interval for one endpoint; ``every`` and ``offset`` in seconds."""

    every: float
    offset: float = 0.0

    def at(self, now: datetime) -> datetime:
        """Give the slot under way at ``now``.

        A clock set back by a moment between waking and asking must not give the slot before, so a
        start that is early by up to a twentieth of the interval (at most a second) counts as on time.
        """
        early = timedelta(seconds=min(self.every / 20, 1.0))
        return self._multiple(now - timedelta(seconds=self.offset) + early)

    def next_start(self, now: datetime) -> datetime:
        """Give when the next slot starts here, after ``now``."""
        offset = timedelta(seconds=self.offset)
        start = self._multiple(now - offset) + offset
        return start if start > now else start + timedelta(seconds=self.every)

    def between(self, before: datetime, slot: datetime) -> int:
        """Count the slots after ``before`` and ahead of ``slot``: the ones that were missed."""
        return max(round((slot - before) / timedelta(seconds=self.every)) - 1, 0)

    def _multiple(self, moment: datetime) -> datetime:
        every = round(self.every * 1e6)
        elapsed = (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
        return _EPOCH + timedelta(microseconds=elapsed - elapsed % every)
