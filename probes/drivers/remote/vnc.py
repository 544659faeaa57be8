"""The viewer without any screen: it speaks VNC itself (asyncvnc) and keeps the session's picture in memory.

A task reads the connection whenever the driver waits, and stamps each update as it arrives; a read
is never cut short, since half an update would leave the rest of the stream unreadable.
"""

import asyncio
import contextlib
import socket
import time
import warnings
from collections.abc import Awaitable, Mapping
from typing import TypeVar

import asyncvnc
import numpy as np

from collector.model.run import Outcome
from probes.driver import FarEnd
from probes.drivers import _far_end, _uncertainty
from probes.drivers.remote.viewer import Ended, Look, Moment, Picture, differs_where
from probes.journey.screen import Box

T = TypeVar("T")
_CONNECTION_ERRORS = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, OSError)
_MODIFIERS = {"ctrl": "Ctrl", "alt": "Alt", "shift": "Shift", "super": "Super"}
_CHECK_TIMEOUT = 0.2  # seconds, to see whether anybody still listens
_GREETING = b"RFB"
_WENT: Mapping[FarEnd, tuple[str, str]] = {
    FarEnd.REFUSED: ("host", "the connection ended, and nobody listens there any more"),
    FarEnd.SILENT: ("network", "the connection ended, and the server cannot be reached"),
    FarEnd.GREETS: ("closed", "the server ended the connection, and takes new ones"),
    FarEnd.TAKES: ("host", "the connection ended, and no server greets there any more"),
}
_CLOSE_TIMEOUT = 1.0
_DOUBLE_CLICK_PAUSE = 0.05
_TURNS = 6  # of the event loop, until bytes of the socket have become an update


class VncViewer:
    """One connection to one VNC server."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._runner = asyncio.Runner()
        self._wake_up = _uncertainty.wake_up_ns() / 1e9
        self._client: asyncvnc.Client | None = None
        self._pump: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._shown = np.zeros((1, 1, 4), np.uint8)
        self._first_arrived = self._arrived = 0.0
        self._looked = 0.0
        self._lost: Exception | None = None

    def launch(self, credentials: Mapping[str, str], deadline: float) -> Moment:
        """Connect and sign in to the VNC server."""
        try:
            with warnings.catch_warnings():  # VNC's own sign-in is DES, which cryptography warns of
                warnings.filterwarnings("ignore", message=".*TripleDES")
                self._client = self._run(self._connect(credentials), deadline)
        except TimeoutError:
            raise Ended(Outcome.TIMEOUT, "launch", "the VNC server did not answer in time") from None
        except (PermissionError, UnicodeEncodeError):
            raise Ended(Outcome.FAILED, "authentication", "the VNC server refused the sign-in") from None
        except socket.gaierror as error:
            raise Ended(Outcome.FAILED, "resolve", f"resolve: {error.strerror}") from None
        except ConnectionRefusedError:
            raise Ended(Outcome.FAILED, "connect", "connect: nobody listens there") from None
        except _CONNECTION_ERRORS as error:
            raise Ended(Outcome.FAILED, "connect", f"connect: {type(error).__name__}") from None
        except ValueError as error:
            raise _refused(error) from None
        now = time.perf_counter()
        return Moment.between(now - self._wake_up, now)

    def first_pixels(self, deadline: float) -> Moment:
        """Wait for the first whole picture."""
        self._looked = time.perf_counter()
        self._run(self._start_reading())
        while time.perf_counter() < deadline:
            look = self.look(deadline)
            if self._video.is_complete():
                return Moment.between(look.before, look.at)
        raise Ended(Outcome.TIMEOUT, "pixels", "the session drew nothing in time")

    @property
    def picture(self) -> Picture:
        """The session's picture at the last look."""
        mode = self._video.mode
        if mode == "bgra":
            return self._shown[:, :, :3]
        return np.ascontiguousarray(self._shown[:, :, [mode.index(channel) for channel in "bgr"]])

    def look(self, deadline: float, within: Box | None = None) -> Look:  # noqa: ARG002  all of it comes anyhow
        """Wait until an update arrives."""
        since = self._looked
        if self._take(0.0):  # it came while nobody was looking: nobody knows when
            return self._seen(since)
        listening = time.perf_counter()
        if self._take(deadline - listening):
            return self._seen(max(listening, self._first_arrived - self._wake_up))
        self._looked = time.perf_counter()
        return Look(None, self._looked, self._looked)

    def press(self, keys: str) -> None:
        """Press keys together."""
        *held, key = keys.split("+") if keys != "+" else [keys]
        self._alive().keyboard.press(*(_MODIFIERS[one] for one in held), key)
        self._send()

    def type(self, text: str) -> None:
        """Type a text; VNC names characters, not keys, so that the keyboard's layout plays no part."""
        unknown = [character for character in text if character not in asyncvnc.key_codes]
        if unknown:
            raise Ended(Outcome.BROKEN, "key", "a character of the text has no key")
        self._alive().keyboard.write(text)
        self._send()

    def click(self, x: int, y: int, *, button: int, times: int) -> None:
        """Move there and click."""
        mouse = self._alive().mouse
        mouse.move(x, y)
        for number in range(times):
            if number:
                time.sleep(_DOUBLE_CLICK_PAUSE)
            mouse.click(button - 1)
            self._send()

    def far_end(self) -> FarEnd:
        """Say what a new connection to the server meets."""
        return _far_end.call(self._address, greeting=_GREETING)

    def close(self) -> None:
        """Leave the session as it is and end the connection."""
        try:
            self._runner.run(self._leave())
        finally:
            self._runner.close()

    async def _connect(self, credentials: Mapping[str, str]) -> asyncvnc.Client:
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            return await asyncvnc.Client.create(
                reader, writer, credentials.get("username"), credentials.get("password")
            )
        except BaseException:
            writer.close()
            raise

    async def _leave(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._client is not None:
            self._client.writer.close()
            with contextlib.suppress(*_CONNECTION_ERRORS):
                await asyncio.wait_for(self._client.writer.wait_closed(), _CLOSE_TIMEOUT)

    async def _start_reading(self) -> None:
        self._video.refresh()
        self._pump = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        client = self._alive()
        try:
            while True:
                if await client.read() is asyncvnc.UpdateType.VIDEO:
                    self._arrived = time.perf_counter()
                    if not self._news.is_set():
                        self._first_arrived = self._arrived
                    self._news.set()
                    client.video.refresh()
        except (*_CONNECTION_ERRORS, ValueError) as error:
            self._lost = error
            self._news.set()

    def _take(self, seconds: float) -> bool:
        """Read for a while; say whether an update came. Raises Ended when none can come any more."""
        self._run(self._listen(seconds))
        news = self._news.is_set()
        if self._lost is not None:
            raise self._ended()
        return news

    async def _listen(self, seconds: float) -> None:
        for _ in range(_TURNS):  # lets the reading task take what has arrived
            await asyncio.sleep(0)
        if seconds > 0 and not self._news.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)

    def _seen(self, before: float) -> Look:
        """Take the picture over; an update may also repeat what was there."""
        self._news.clear()
        now = self._video.data
        changed = None
        if now is not None:
            if self._shown.shape != now.shape:
                self._shown = np.zeros_like(now)
            changed = differs_where(now.view(np.uint32)[:, :, 0], self._shown.view(np.uint32)[:, :, 0])
            self._shown = now.copy()
        self._looked = self._arrived
        return Look(changed, min(before, self._arrived), self._arrived)

    @property
    def _video(self) -> asyncvnc.Video:
        return self._alive().video

    def _alive(self) -> asyncvnc.Client:
        if self._client is None:
            raise Ended(Outcome.NOT_READY, "session", "no session is open")
        return self._client

    def _send(self) -> None:
        """Hand over to the network what was written."""
        try:
            self._run(self._alive().drain(), time.perf_counter() + _CLOSE_TIMEOUT)
        except TimeoutError:
            pass  # the far end takes nothing: the missing answer will tell
        except _CONNECTION_ERRORS as error:
            self._lost = error
            raise self._ended() from None

    def _run(self, work: Awaitable[T], deadline: float | None = None) -> T:
        async def bounded() -> T:
            left = None if deadline is None else max(0.0, deadline - time.perf_counter())
            return await asyncio.wait_for(work, left)

        return self._runner.run(bounded())

    def _ended(self) -> Ended:
        """Say why the connection is gone, as far as can be seen from here: does a server still greet there.

        A connection that is taken proves nothing: a dying process loses its connections before the socket it
        listens on, and the kernel takes new ones for it meanwhile.
        """
        if isinstance(self._lost, ValueError):
            return Ended(Outcome.DROPPED, "protocol", "the server sent what is not VNC")
        met = _far_end.call(self._address, greeting=_GREETING, seconds=_CHECK_TIMEOUT)
        return Ended(Outcome.DROPPED, *_WENT[met])


def _refused(error: ValueError) -> Ended:
    """Tell a server that lets nobody in for now from one that is not understood."""
    if "password" in str(error) or "security failures" in str(error):
        return Ended(Outcome.FAILED, "authentication", f"the VNC server refused the sign-in: {error}")
    return Ended(Outcome.FAILED, "protocol", f"protocol: {error}")
