"""The contract inside the remote driver: what shows a session and takes keys, whatever its protocol.

Times are seconds of ``time.perf_counter``. A moment is known no better than the two looks around it,
so it is the middle between them, with half their distance as its ±.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from collector.model.run import Outcome
from probes.driver import FarEnd
from probes.journey.screen import Box

Picture = NDArray[np.uint8]
"""Height × width × 3, in the order blue, green, red."""

Pixels = NDArray[np.uint32]
"""Height × width, a pixel as one number: compared ten times as quickly as channel by channel."""


class Ended(Exception):
    """The step is over before its last action; not an error of the probe."""

    def __init__(self, outcome: Outcome, kind: str, message: str) -> None:
        self.outcome = outcome
        self.kind = kind
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened: ``at`` ± ``half``, in seconds."""

    at: float
    half: float

    @classmethod
    def between(cls, before: float, after: float) -> "Moment":
        """Give the middle of two looks: not yet in the first, there in the second."""
        return cls((before + after) / 2, max(0.0, after - before) / 2)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the session.

    ``changed`` is the part that may differ from the look before, None if nothing does. ``before`` is
    the last time at which it was known not to, ``at`` the time of the picture.
    """

    changed: Box | None
    before: float
    at: float


class Viewer(Protocol):
    """A session on show. Every call may raise Ended: the client went, or the connection."""

    def launch(self, credentials: Mapping[str, str], deadline: float) -> Moment:
        """Start the client and wait until its window (or, without one, its protocol) is there."""
        ...

    def first_pixels(self, deadline: float) -> Moment:
        """Wait until the session has drawn something; ``picture`` is there from then on."""
        ...

    @property
    def picture(self) -> Picture:
        """Give the picture of the last look; it is valid until the next."""
        ...

    def look(self, deadline: float, within: Box | None = None) -> Look:
        """Wait until something changes, at most until ``deadline``. One in the past only takes what is due.

        What lies not ``within`` a region may be left to the next look at everything; until then, the region
        must stay the same.
        """
        ...

    def press(self, keys: str) -> None:
        """Press one key, or several held together with ``+``, and let go."""
        ...

    def type(self, text: str) -> None:
        """Type a text, character after character."""
        ...

    def click(self, x: int, y: int, *, button: int, times: int) -> None:
        """Click at a point of the session's screen; ``button`` is 1 left, 2 middle, 3 right."""
        ...

    def far_end(self) -> FarEnd | None:
        """Say what a new connection to the session's host meets; None where only the client knows the way."""
        ...

    def close(self) -> None:
        """End the client and everything started for it; nothing stays. Never raises Ended."""
        ...


def joined(one: Box | None, other: Box) -> Box:
    """Give the smallest part that holds both."""
    if one is None:
        return other
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right, bottom = max(one[0] + one[2], other[0] + other[2]), max(one[1] + one[3], other[1] + other[3])
    return (left, top, right - left, bottom - top)


def overlap(one: Box, other: Box) -> Box | None:
    """Give the part both have; None if there is none."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[0] + one[2], other[0] + other[2]), min(one[1] + one[3], other[1] + other[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def cut(picture: Picture, box: Box | None) -> Picture:
    """Give a part of the picture, without copying it; all of it for None."""
    if box is None:
        return picture
    x, y, width, height = box
    return picture[y : y + height, x : x + width]


def differs_where(one: Pixels, other: Pixels) -> Box | None:
    """Give the smallest part in which two pictures of the same size differ; None if they are the same."""
    x, y, width, height = cv2.boundingRect((one != other).view(np.uint8))
    return (x, y, width, height) if width else None
