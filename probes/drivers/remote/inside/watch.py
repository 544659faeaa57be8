"""The program in the session: watches what the driver asks for, and says how long it took there.

A wait begins with the first input after the request was read and ends with the picture that shows the sight. While
there is no input it stays silent, so that the program of a session that was left behind answers for nobody.
"""

import base64
import binascii
import contextlib
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from probes.drivers.remote.inside.desktop import Desktop
from probes.drivers.remote.inside.exchange import ANSWER, REQUEST, WATCHING, Answer, Exchange, Request
from probes.drivers.remote.sight import Images, differs
from probes.drivers.remote.viewer import Look, Moment, Picture
from probes.journey.screen import Sight

_ASKED_EVERY = 0.02  # seconds, for requests
_INPUT_EVERY = 0.005
_WITHDRAWN_EVERY = 0.2
_LEFT_AFTER = 60.0  # a file nobody took away by then never will be
_QUIET = 0.05
_SETTLED_WITHIN = 0.5
_ONE_INPUT = 0.25  # what lies farther apart was not one input of the driver's
_ATTEMPTS = 5
_SLACK = 1.0  # seconds the program watches longer than the driver: its own clock began a little earlier


class Watcher:
    """Answers requests in one folder about one desktop."""

    def __init__(self, folder: Path, desktop: Desktop) -> None:
        """Raises WhichlayerError when the folder cannot be used."""
        self._exchange = Exchange(folder)
        self._desktop = desktop
        self._program = f"whichlayer-{version('whichlayer')}"
        self._since: dict[str, float] = {}  # when a request was first seen
        self._served: set[str] = set()
        self._stopped: Callable[[], bool] = lambda: False

    def run(self, stopped: Callable[[], bool]) -> None:
        """Answer until told to stop; a folder that goes away may come back. Raises what the desktop raises."""
        self._stopped = stopped
        while not stopped():
            newest = self._tidied()
            if newest is not None and newest not in self._served:
                self._served.add(newest)
                with contextlib.suppress(OSError):
                    self._serve(newest)
            time.sleep(_ASKED_EVERY)

    def _serve(self, name: str) -> None:
        asked = self._exchange.get(name + REQUEST, Request)
        if asked is None or asked.name != name:
            return
        try:
            images = _images(asked)
        except ValueError:
            self._answer(asked, reason="the image cannot be read")
            return
        watch = _Watch(self._desktop, asked.sight, images)
        self._exchange.put(name + WATCHING)
        until = watch.began + asked.within + _SLACK
        look_again = watch.began + _WITHDRAWN_EVERY
        while (now := time.perf_counter()) < until and not self._stopped():
            if watch.goes_on(min(until, look_again)):
                self._answer(asked, *watch.found())
                return
            if now >= look_again:
                if self._tidied() != name:  # taken back, or the driver has gone on
                    return
                look_again = now + _WITHDRAWN_EVERY
        if watch.pressed is not None:
            self._answer(asked, reason="not seen in time")

    def _answer(self, asked: Request, took: Moment | None = None, reason: str | None = None) -> None:
        told = Answer(
            run_id=asked.run_id,
            step=asked.step,
            number=asked.number,
            program=self._program,
            seconds=None if took is None else max(0.0, took.at),
            uncertainty=0.0 if took is None else took.half,
            reason=reason,
        )
        if self._exchange.has(asked.name + REQUEST):  # else the driver no longer asks, and would not take it away
            self._exchange.put(asked.name + ANSWER, told)

    def _tidied(self) -> str | None:
        """Name the newest request; remove what a driver left behind that ended in the middle."""
        names, now = self._exchange.requests(), time.perf_counter()
        self._since = {name: self._since.get(name, now) for name in names}
        self._served &= set(names)
        for name in [name for name, seen in self._since.items() if now - seen > _LEFT_AFTER and name in names[:-1]]:
            self._exchange.remove(name)
        return names[-1] if names else None


class _Watch:
    """One wait, from its input to its sight."""

    def __init__(self, desktop: Desktop, sight: Sight, images: Images) -> None:
        self._desktop = desktop
        self._sight = sight
        self._images = images
        self.pressed: Moment | None = None
        self._seen: Moment | None = None
        _settle(desktop)
        desktop.only(sight.region)
        self._reference = desktop.picture.copy()
        self.began = time.perf_counter()

    def goes_on(self, until: float) -> bool:
        """Look once more; say whether the sight has been seen."""
        if self.pressed is not None:
            return self._shows(self._desktop.look(until))
        look = self._desktop.look(time.perf_counter() + _INPUT_EVERY)
        last = self._desktop.last_input()
        if last.at - last.half <= self.began:
            return False
        self.pressed = last
        return self._shows(look)

    def found(self) -> tuple[Moment | None, str | None]:
        """Give the seconds from input to sight and their ±, or why they cannot be told."""
        assert self.pressed is not None
        assert self._seen is not None
        first, last = self.pressed, min((self._desktop.last_input() for _ in range(_ATTEMPTS)), key=_half)
        pressed = min(first, last, key=_half)
        if last.at - first.at > first.half + last.half:  # not the same input: a text, or somebody else
            if last.at - first.at > _ONE_INPUT:
                return None, "somebody else used the session"
            pressed = Moment.between(first.at - first.half, last.at + last.half)
        return Moment(self._seen.at - pressed.at, pressed.half + self._seen.half), None

    def _shows(self, look: Look) -> bool:
        if look.changed is None:
            return False
        picture = self._desktop.picture
        if self._sight.change:
            shown = differs(picture, self._reference, self._sight.region)
        else:
            shown = self._images.seen(picture, self._sight, look.changed)
        if shown:
            assert self.pressed is not None
            self._seen = Moment.between(max(look.before, min(self.pressed.at, look.at)), look.at)
        return shown


def _half(moment: Moment) -> float:
    return moment.half


def _settle(desktop: Desktop) -> None:
    """Let what was typed before come to its end: a session takes a text in more slowly than it is sent."""
    until = time.perf_counter() + _SETTLED_WITHIN
    while (now := time.perf_counter()) < until:
        desktop.look(now + _INPUT_EVERY)
        if time.perf_counter() - desktop.last_input().at > _QUIET:
            return


def _images(asked: Request) -> Images:
    """Read the picture that is looked for. Raises ValueError when it is none."""
    if asked.sight.image is None:
        return Images({})
    try:
        data = base64.b64decode(asked.image or "", validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if found is None:
        raise ValueError("not a picture")
    image: Picture = np.asarray(found, np.uint8)
    return Images({asked.sight.image: image})
