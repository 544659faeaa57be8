"""What a whole X display shows, followed by what the server says was drawn (XDamage on its root window).

That is told as one box however many strokes it has: hundreds of events for one repainted window would keep both sides
busy while the time is taken.
"""

import select
import time

from Xlib.display import Display
from Xlib.ext import damage

from probes.drivers.remote.capture import Capture
from probes.drivers.remote.viewer import Look, Picture, joined
from probes.journey.screen import Box


class Surface:
    """A display that is looked at. Every call may raise what Xlib raises when the display is gone."""

    def __init__(self, x: Display, wake_up: float) -> None:
        """Begin to follow it; ``wake_up`` is how late this process learns of something, in seconds."""
        self._x = x
        self._wake_up = wake_up
        self._within: Box | None = None
        x.damage_query_version()
        self._damage = x.screen().root.damage_create(damage.DamageReportBoundingBox)
        self._looked = time.perf_counter()
        self._capture = Capture(x.screen().root)

    @property
    def picture(self) -> Picture:
        """The picture at the last look."""
        return self._capture.picture

    def only(self, part: Box | None) -> None:
        """Take in the whole picture; from now on only this part of it is kept up to date, or all of it."""
        if self._capture.due is not None:  # what was left out so far
            self._capture.fetch(self._capture.due, None)
        self._within = None
        self.look(0.0)
        self._within = part

    def look(self, deadline: float) -> Look:
        """Wait until something is drawn, or ``deadline`` comes."""
        since = self._looked
        drawn = self._drawn(0.0)
        if drawn is None:
            listening = time.perf_counter()
            drawn = self._drawn(deadline - listening)
            since = max(listening, time.perf_counter() - self._wake_up)
        changed = self._capture.fetch(drawn, self._within) if drawn is not None else None
        self._looked = time.perf_counter()
        return Look(changed, since, self._looked)

    def _drawn(self, seconds: float) -> Box | None:
        """Give the part that was drawn."""
        x = self._x
        if seconds > 0 and not x.pending_events():
            select.select([x], [], [], seconds)
        part: Box | None = None
        while x.pending_events():
            event = x.next_event()
            if event.type == x.extension_event.DamageNotify:
                area = event.area
                part = joined(part, (area.x, area.y, area.width, area.height))
        if part is not None:  # from now on it tells what is drawn after this; the picture is fetched later still
            x.damage_subtract(self._damage)
        return part
