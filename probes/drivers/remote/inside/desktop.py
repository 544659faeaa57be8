"""What the program in the session asks of it: what it shows, and how long ago somebody did something.

Never which key it was: the X server tells the age of the last input (MIT-SCREEN-SAVER), and no input event is read.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from Xlib.display import Display
from Xlib.error import ConnectionClosedError
from Xlib.ext import screensaver

from collector.model.errors import WhichlayerError
from probes.drivers import _uncertainty
from probes.drivers.remote.display import connected
from probes.drivers.remote.surface import Surface
from probes.drivers.remote.viewer import Look, Moment, Picture
from probes.journey.screen import Box

_CLOCK = 0.001  # seconds: the server counts milliseconds


class Desktop(Protocol):
    """The session's own display."""

    @property
    def picture(self) -> Picture:
        """Give the picture of the last look."""
        ...

    def only(self, part: Box | None) -> None:
        """Take in the picture; from now on only this part of it is kept up to date, or all of it."""
        ...

    def look(self, deadline: float) -> Look:
        """Wait until something is drawn there, at most until ``deadline``."""
        ...

    def last_input(self) -> Moment:
        """Give when a key, button or the pointer was last used, in this process's time."""
        ...


class XDesktop:
    """The display of an X session."""

    def __init__(self, name: str) -> None:
        """Connect. Raises WhichlayerError when the display cannot be used."""
        self._x: Display = connected(name, None)
        if not self._x.has_extension(screensaver.extname):
            self._x.close()
            raise WhichlayerError(f"the display {name} has no {screensaver.extname}: it tells when somebody typed")
        self._root = self._x.screen().root
        self._surface = Surface(self._x, _uncertainty.wake_up_ns() / 1e9)

    @property
    def picture(self) -> Picture:
        """What the display showed at the last look."""
        return self._surface.picture

    def only(self, part: Box | None) -> None:
        """Take in the picture; from now on only this part of it is kept up to date, or all of it."""
        with _there():
            self._surface.only(part)

    def look(self, deadline: float) -> Look:
        """Wait until something is drawn, at most until ``deadline``. Raises WhichlayerError when the display goes."""
        with _there():
            return self._surface.look(deadline)

    def last_input(self) -> Moment:
        """Ask for the age of the last input."""
        before = time.perf_counter()
        with _there():
            idle = self._root.screensaver_query_info().idle / 1000
        after = time.perf_counter()
        return Moment((before + after) / 2 - idle, (after - before) / 2 + _CLOCK)

    def close(self) -> None:
        """Let go of the display."""
        self._x.close()


@contextlib.contextmanager
def _there() -> Iterator[None]:
    try:
        yield
    except ConnectionClosedError as error:
        raise WhichlayerError(f"the session's display went away: {error}") from None
