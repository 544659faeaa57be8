"""The picture of a window as far as it was fetched: the X server says where something was drawn, this asks for it.

A client may redraw its whole window for a hint that fades in. Fetching all of it again and again would hold up
the keystroke that is timed elsewhere, so what lies outside of the region that is looked at can be left for later.
"""

import numpy as np
from Xlib import X
from Xlib.xobject.drawable import Window

from probes.drivers.remote.viewer import Picture, Pixels, differs_where, joined, overlap
from probes.journey.screen import Box

_STRIP_PIXELS = 65536
_COLOUR = np.uint32(0xFFFFFF)  # the fourth byte of a pixel may hold anything


class Capture:
    """What one window shows. Raises XError when the window is gone."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.due: Box | None = None  # where something was drawn that was not fetched
        self._fetch_all()

    @property
    def picture(self) -> Picture:
        """What was fetched so far."""
        return self._shown.view(np.uint8).reshape(*self._shown.shape, 4)[:, :, :3]

    def fetch(self, drawn: Box, within: Box | None) -> Box | None:
        """Fetch what was ``drawn``, of it only what lies ``within``; give the part that is new."""
        geometry = self._window.get_geometry()
        if (geometry.width, geometry.height) != self._size:
            self._fetch_all()
            return (0, 0, *self._size)
        self.due = None if within is None else joined(self.due, drawn)
        asked = drawn if within is None else overlap(drawn, within)
        box = overlap(asked, (0, 0, *self._size)) if asked is not None else None
        if box is None:
            return None
        x, y, width, height = box
        fresh = self._image(box)
        here = self._shown[y : y + height, x : x + width]
        changed = differs_where(fresh, here)
        here[:] = fresh
        return (x + changed[0], y + changed[1], changed[2], changed[3]) if changed else None

    def _fetch_all(self) -> None:
        geometry = self._window.get_geometry()
        self._size = (geometry.width, geometry.height)
        self._shown = self._image((0, 0, *self._size))
        self.due = None

    def _image(self, box: Box) -> Pixels:
        """Fetch a part in strips: the library takes an answer in ever more slowly the longer it is."""
        x, y, width, height = box
        rows = max(1, _STRIP_PIXELS // width)
        strips = [
            self._window.get_image(x, top, width, min(rows, y + height - top), X.ZPixmap, 0xFFFFFFFF).data
            for top in range(y, y + height, rows)
        ]
        return np.frombuffer(b"".join(strips), np.uint32).reshape(height, width) & _COLOUR
