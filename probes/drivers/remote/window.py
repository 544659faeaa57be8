"""The viewer for any client with a window: keys by XTest, pictures by XDamage and XGetImage.

Only what the X server says was drawn is fetched and compared. Nothing is asked of the client but
that it opens a window whose title is known, so one that only exists at the site works as well.
"""

import contextlib
import os
import re
import select
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, XError
from Xlib.ext import damage, xtest
from Xlib.xobject.drawable import Window

from collector.model.run import Outcome
from probes.drivers import _uncertainty
from probes.drivers.remote.capture import Capture
from probes.drivers.remote.client import Client
from probes.drivers.remote.display import OwnDisplay, connected
from probes.drivers.remote.settings import WindowSettings
from probes.drivers.remote.viewer import Ended, Look, Moment, Picture, joined
from probes.journey.screen import Box

_SEARCH_EVERY = 0.01  # seconds, for the window
_SMALLEST = 100  # pixels: smaller windows are dialogs and icons
_DOUBLE_CLICK_PAUSE = 0.05
_EXIT_GRACE = 0.3  # a window goes a little before its client
_MODIFIERS = {"ctrl": "Control_L", "alt": "Alt_L", "shift": "Shift_L", "super": "Super_L"}


class WindowViewer:
    """The window of one client, on a display of its own or on that of the desktop."""

    def __init__(self, settings: WindowSettings, values: Mapping[str, str]) -> None:
        self._wake_up = _uncertainty.wake_up_ns() / 1e9
        self._title = re.compile(settings.title)
        self._folder = tempfile.TemporaryDirectory(prefix="whichlayer-remote-")
        self._own: OwnDisplay | None = None
        self._x: Display | None = None
        self._exit: int | None = None  # readable when the client has ended
        self._window: Window | None = None
        self._capture: Capture | None = None
        self._looked = self._looked_everywhere = 0.0
        try:
            self._client = Client(settings, values, Path(self._folder.name))
            if settings.xvfb is not None:
                self._own = OwnDisplay(settings.xvfb, Path(self._folder.name))
            self._x = connected(self._name, self._own.authority if self._own else None)
        except BaseException:
            self._close_display()
            raise
        self._root: Window = self._x.screen().root

    def launch(self, credentials: Mapping[str, str], deadline: float) -> Moment:
        """Start the client and wait for a window that was not there before."""
        with self._reachable(during_logon=True):
            return self._launched(credentials, deadline)

    def _launched(self, credentials: Mapping[str, str], deadline: float) -> Moment:
        there = {window.id for window, _ in self._windows()}
        environment = {"DISPLAY": self._name}
        if self._own is not None:
            environment["XAUTHORITY"] = str(self._own.authority)
        self._exit = self._client.start(credentials, environment)
        before = time.perf_counter()
        while before < deadline:
            now = time.perf_counter()
            found = [(area, window) for window, area in self._windows() if window.id not in there]
            if found:
                self._window = max(found, key=lambda one: one[0])[1]
                return Moment.between(before, now)
            before = now
            self._sleep_unless_ended(_SEARCH_EVERY)
        raise Ended(Outcome.TIMEOUT, "launch", f"no window with a title like {self._title.pattern} in time")

    def first_pixels(self, deadline: float) -> Moment:
        """Wait until the window is no longer of one colour."""
        with self._reachable(during_logon=True):
            self._display.damage_query_version()
            self._session.damage_create(damage.DamageReportRawRectangles)
            self._looked = self._looked_everywhere = time.perf_counter()
            self._capture = Capture(self._session)
        look = Look(None, self._looked, time.perf_counter())
        while (self.picture == self.picture[0, 0]).all():
            if time.perf_counter() >= deadline:
                raise Ended(Outcome.TIMEOUT, "pixels", "the session drew nothing in time")
            look = self._seen(deadline, None, during_logon=True)
        self._client.forget_secrets()
        return Moment.between(look.before, look.at)

    @property
    def picture(self) -> Picture:
        """The window's picture at the last look."""
        return self._opened.picture

    def look(self, deadline: float, within: Box | None = None) -> Look:
        """Wait until the X server says that something was drawn in the window."""
        return self._seen(deadline, within, during_logon=False)

    def press(self, keys: str) -> None:
        """Press keys together."""
        *held, key = keys.split("+") if keys != "+" else [keys]
        self._focus()
        codes = [self._code(XK.string_to_keysym(_MODIFIERS[one]))[0] for one in held]
        for code in codes:
            self._fake(X.KeyPress, code)
        self._strike(key)
        for code in reversed(codes):
            self._fake(X.KeyRelease, code)
        self._send()

    def type(self, text: str) -> None:
        """Type a text with the keys of the display's keyboard."""
        self._focus()
        for character in text:
            self._strike(character)
        self._send()

    def click(self, x: int, y: int, *, button: int, times: int) -> None:
        """Move the pointer there and click."""
        self._focus()
        with self._reachable():
            place = self._root.translate_coords(self._session, x, y)
        xtest.fake_input(self._display, X.MotionNotify, x=place.x, y=place.y)
        for number in range(times):
            if number:
                time.sleep(_DOUBLE_CLICK_PAUSE)
            self._fake(X.ButtonPress, button)
            self._fake(X.ButtonRelease, button)
            self._send()

    def far_end(self) -> None:
        """Give nothing: the way to the host is the client's."""

    def close(self) -> None:
        """End the client, the display and their files."""
        self._client.close()
        if self._exit is not None:
            os.close(self._exit)
        self._close_display()

    def _close_display(self) -> None:
        if self._x is not None:
            with contextlib.suppress(ConnectionClosedError, OSError):  # it went first
                self._x.close()
        if self._own is not None:
            self._own.close()
        self._folder.cleanup()

    @contextlib.contextmanager
    def _reachable(self, *, during_logon: bool = False) -> Iterator[None]:
        """Say what it means when the display or the window is no longer there."""
        try:
            yield
        except ConnectionClosedError:
            raise Ended(Outcome.BROKEN, "display", "the X display went away") from None
        except XError:
            gone = Ended(Outcome.DROPPED, "window", "the session's window is gone, while its client lives")
            raise self._client.ended(during_logon=during_logon, wait=_EXIT_GRACE) or gone from None

    def _seen(self, deadline: float, within: Box | None, *, during_logon: bool) -> Look:
        capture, since = self._opened, self._looked
        with self._reachable(during_logon=during_logon):
            drawn = self._drawn(0.0)
            if within is None and capture.due is not None:  # left for later by the looks before this one
                drawn, since = joined(drawn, capture.due), self._looked_everywhere
            if drawn is None:
                listening = time.perf_counter()
                drawn = self._drawn(deadline - listening)
                since = max(listening, time.perf_counter() - self._wake_up)
            changed = capture.fetch(drawn, within) if drawn is not None else None
        if drawn is None:
            self._raise_if_ended(during_logon=during_logon)
        self._looked = time.perf_counter()
        if capture.due is None:
            self._looked_everywhere = self._looked
        return Look(changed, since, self._looked)

    def _drawn(self, seconds: float) -> Box | None:
        """Wait for drawing or the client's end; give the part that was drawn."""
        x = self._display
        if seconds > 0 and not x.pending_events():
            select.select([x, self._exit or x], [], [], seconds)
        part: Box | None = None
        while x.pending_events():
            event = x.next_event()
            if event.type == x.extension_event.DamageNotify:
                area = event.area
                part = joined(part, (area.x, area.y, area.width, area.height))
        return part

    def _windows(self) -> list[tuple[Window, int]]:
        """Give the visible windows with the title, and their areas."""
        found, waiting = [], [self._root]
        while waiting:
            try:
                for window in waiting.pop().query_tree().children:
                    waiting.append(window)
                    words = f"{window.get_wm_name() or ''} {' '.join(window.get_wm_class() or ())}"
                    if self._title.search(words) and window.get_attributes().map_state == X.IsViewable:
                        geometry = window.get_geometry()
                        if min(geometry.width, geometry.height) >= _SMALLEST:
                            found.append((window, geometry.width * geometry.height))
            except XError:  # gone while it was looked at
                continue
        return found

    def _sleep_unless_ended(self, seconds: float) -> None:
        select.select([self._exit or self._display], [], [], seconds)
        self._raise_if_ended(during_logon=True)

    def _raise_if_ended(self, *, during_logon: bool) -> None:
        ended = self._client.ended(during_logon=during_logon)
        if ended is not None:
            raise ended

    def _send(self) -> None:
        """See to it that the server has the keys: a flush may leave some behind while it is busy."""
        with self._reachable():
            self._display.sync()

    def _focus(self) -> None:
        self._session.set_input_focus(X.RevertToParent, X.CurrentTime)

    def _strike(self, key: str) -> None:
        keysym = XK.string_to_keysym(key) or (ord(key) if len(key) == 1 else 0)
        code, shifted = self._code(keysym)
        shift = self._code(XK.XK_Shift_L)[0]
        if shifted:
            self._fake(X.KeyPress, shift)
        self._fake(X.KeyPress, code)
        self._fake(X.KeyRelease, code)
        if shifted:
            self._fake(X.KeyRelease, shift)

    def _code(self, keysym: int) -> tuple[int, bool]:
        """Give the key of a keysym, and whether Shift goes with it."""
        places = [(index, code) for code, index in self._display.keysym_to_keycodes(keysym) if index in (0, 1)]
        if not places:
            raise Ended(Outcome.BROKEN, "key", "a character of the text is on no key of the display's keyboard")
        index, code = min(places)
        return code, index == 1

    def _fake(self, kind: int, detail: int) -> None:
        xtest.fake_input(self._display, kind, detail)

    @property
    def _name(self) -> str:
        return self._own.name if self._own else os.environ.get("DISPLAY", "")

    @property
    def _display(self) -> Display:
        assert self._x is not None
        return self._x

    @property
    def _opened(self) -> Capture:
        assert self._capture is not None
        return self._capture

    @property
    def _session(self) -> Window:
        if self._window is None:
            raise Ended(Outcome.NOT_READY, "session", "no session is open")
        return self._window
