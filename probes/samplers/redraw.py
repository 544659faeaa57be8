"""How long a tiny picture takes to be drawn inside the session this agent runs in (X), from the request to its pixels.

For the time of a reading a window of 8 × 8 pixels is in the corner of the screen, in a colour drawn by lot. It speaks
for the session's host and display alone: nothing of the way to the screen that a person sees is in it, nor of the
application, and it is never user experience. Where the window is covered (a locked screen) there is no reading. Needs
the extra ``remote``. X on Linux only: there is no such window on Windows, where this was never run.
"""

import contextlib
import importlib.util
import os
import secrets
import select
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from collector.document import Document, Seconds, validate
from collector.model.errors import WhichlayerError
from collector.model.layer import Layer
from collector.model.sample import Sample
from probes.sampler import Cost
from probes.samplers._bounded import AT_LEAST, Bounded, Late

SIDE = 8  # pixels
_LOOK_EVERY = 0.001  # seconds


class RedrawSettings(Document):
    """Which display."""

    display: str | None = Field(default=None, description="the X display, such as :10; $DISPLAY if not given")
    timeout: Seconds = Field(default=5.0, gt=0, le=30, description="how long the picture is waited for")


class _OpenRedraw:
    def __init__(self, *, site: str, component: str, settings: RedrawSettings) -> None:
        self._site = site
        self._component = component
        self._display = settings.display or os.environ.get("DISPLAY", "")
        self._timeout = settings.timeout
        self._bounded: Bounded[float] = Bounded(settings.timeout)
        self._canvas: _Canvas | None = None

    def read(self) -> Sequence[Sample]:
        """Draw once. Raises WhichlayerError when there is no session to draw in, or the window is covered."""
        at = datetime.now(UTC)
        lacking = self._lacking()
        if lacking:
            raise WhichlayerError(lacking)
        try:
            found = self._bounded.run(self._drawn)
        except WhichlayerError:
            self.close()
            raise
        if isinstance(found, Late):
            late = self._sample("session.redraw.latency", found.seconds, at, AT_LEAST)
            return [late, self._sample("probe.failed", 1.0, at, {"why": "timeout"})]
        return [self._sample("session.redraw.latency", found, at, {}), self._sample("probe.failed", 0.0, at, {})]

    def hindrances(self) -> Sequence[str]:
        """Draw once."""
        try:
            late = self.read()[0].labels == AT_LEAST
        except WhichlayerError as error:
            return [str(error)]
        finally:
            self.close()
        return [f"the display {self._display} hangs: is its session still there?"] if late else []

    def close(self) -> None:
        """Let go of the display, unless it hangs: then it goes with the agent."""
        if self._canvas is not None and not self._bounded.hangs:
            self._canvas.close()
            self._canvas = None

    def _lacking(self) -> str:
        if sys.platform != "linux":
            return "redraw draws with X, on Linux only: leave it out here"
        if importlib.util.find_spec("Xlib") is None:
            return "redraw needs python-xlib: pip install 'whichlayer[remote]'"
        if not self._display:
            return "there is no display: run the agent inside the session ($DISPLAY), or say display"
        return ""

    def _drawn(self) -> float:
        if self._canvas is None:
            self._canvas = _Canvas(self._display)
        return self._canvas.draw(within=self._timeout)

    def _sample(self, metric: str, value: float, at: datetime, labels: Mapping[str, str]) -> Sample:
        return Sample(
            site=self._site, component=self._component, layer=Layer.REMOTE_SESSION, metric=metric, at=at, value=value,
            labels=labels,
        )  # fmt: skip


class _Canvas:
    """The window, which is on the screen only while it is drawn."""

    def __init__(self, name: str) -> None:
        """Connect. Raises WhichlayerError."""
        from Xlib import X  # noqa: PLC0415  Linux only
        from Xlib.display import Display  # noqa: PLC0415
        from Xlib.error import DisplayError, XauthError  # noqa: PLC0415

        try:
            self._x = Display(name)
        except (DisplayError, XauthError, OSError) as error:
            raise WhichlayerError(f"the display {name} cannot be used: {error}") from None
        screen = self._x.screen()
        self._depth = min(screen.root_depth, 24)  # of 32 bits the last eight are no colour
        self._order: Any = "little" if self._x.display.info.image_byte_order == 0 else "big"
        self._window = screen.root.create_window(
            0, 0, SIDE, SIDE, 0, screen.root_depth, override_redirect=1, background_pixel=screen.black_pixel,
            event_mask=X.ExposureMask | X.VisibilityChangeMask,
        )  # fmt: skip
        self._pen = self._window.create_gc(foreground=screen.black_pixel, graphics_exposures=False)

    def draw(self, within: float) -> float:
        """Give the seconds from the request to repaint to the pixels. Raises WhichlayerError, also after ``within``."""
        from Xlib import X  # noqa: PLC0415
        from Xlib.error import ConnectionClosedError, XError  # noqa: PLC0415

        self._until = time.perf_counter() + within
        try:
            self._window.map()
            self._window.configure(stack_mode=X.Above)
            self._event(X.Expose)
            return self._repainted(1 + secrets.randbelow((1 << self._depth) - 1))
        except (ConnectionClosedError, XError) as error:
            raise WhichlayerError(f"the session's display went away: {type(error).__name__}") from None
        finally:
            self._hide()

    def close(self) -> None:
        """Let go of the display, which may have gone before."""
        from Xlib.error import ConnectionClosedError  # noqa: PLC0415

        with contextlib.suppress(ConnectionClosedError):
            self._x.close()

    def _repainted(self, colour: int) -> float:
        from Xlib import X  # noqa: PLC0415

        self._pen.change(foreground=colour)
        self._x.sync()
        started = time.perf_counter()
        self._window.clear_area(0, 0, SIDE, SIDE, exposures=True)
        self._event(X.Expose)
        self._window.fill_rectangle(self._pen, 0, 0, SIDE, SIDE)
        while not self._shows(colour):
            self._look_out(_LOOK_EVERY)
        return time.perf_counter() - started

    def _shows(self, colour: int) -> bool:
        from Xlib import X  # noqa: PLC0415

        data = self._window.get_image(0, 0, SIDE, SIDE, X.ZPixmap, 0xFFFFFFFF).data
        size, bits = len(data) // SIDE**2, (1 << self._depth) - 1
        pixels = (data[place : place + size] for place in range(0, len(data), size))
        return all(int.from_bytes(pixel, self._order) & bits == colour for pixel in pixels)

    def _event(self, kind: int) -> None:
        while self._look_out(self._until - time.perf_counter()) != kind:
            pass

    def _look_out(self, seconds: float) -> int | None:
        """Wait so long for an event and give its kind. What covers the window ends the reading, as its time does."""
        from Xlib import X  # noqa: PLC0415

        if not self._x.pending_events():
            select.select([self._x], [], [], max(seconds, 0.0))
        event = self._x.next_event() if self._x.pending_events() else None
        if event is not None and event.type == X.VisibilityNotify and event.state != X.VisibilityUnobscured:
            raise WhichlayerError("the corner of the screen is covered, or the screen is locked: nothing was read")
        if time.perf_counter() > self._until:
            raise WhichlayerError("nothing was drawn in time")
        return None if event is None else int(event.type)

    def _hide(self) -> None:
        from Xlib.error import ConnectionClosedError, XError  # noqa: PLC0415

        try:
            self._window.unmap()
            self._x.sync()
            while self._x.pending_events():
                self._x.next_event()
        except (ConnectionClosedError, XError):
            self.close()


class _Redraw:
    cost = Cost(operations=12, sent_bytes=500, received_bytes=1000, cpu_seconds=0.02, least_every=5.0)

    def open(self, *, site: str, component: str, settings: Mapping[str, Any]) -> _OpenRedraw:
        """Open with RedrawSettings. Raises ConfigError."""
        known = validate(settings, RedrawSettings, file="agent.samplers")
        return _OpenRedraw(site=site, component=component, settings=known)


PLUGIN = _Redraw()
