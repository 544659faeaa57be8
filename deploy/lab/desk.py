"""A small case application drawn with the X protocol alone: what a remote session of the lab shows.

It needs no fonts: every word is a sign, a pattern made from its letters, that a test can also write as
an image. Keys are echoed as coloured blocks. ``python -m deploy.lab.desk`` draws on $DISPLAY; lines on
standard input change it (``screen locked``, ``delay 0.3``, ``title SMITH``, ``show saved``, ``blink``,
``fresh``: as at its start),
and what was saved is told on standard output.
"""

import contextlib
import hashlib
import os
import select
import sys
import time
from pathlib import Path

from Xlib import XK, X, display
from Xlib.error import ConnectionClosedError

WIDTH, HEIGHT = 800, 600
CELL = 4  # pixels
READY = "#20a040"
_READY_BAR = (0, 0, WIDTH, 16)
SIGN_SIZE = (24 * CELL, 6 * CELL)
TYPED = (20, 200, 760, 20)  # where keys are echoed
NOTE = (20, 260, 760, 20)
_BACKGROUND = {"login": 0x204060, "refused": 0x204060, "notice": 0x806020, "locked": 0x101010, "cases": 0xE8E8E8}
_SIGNS = {  # screen: word and place
    "login": (("SIGN IN", 20, 40),),
    "refused": (("SIGN IN", 20, 40), ("WRONG PASSWORD", 20, 120)),
    "notice": (("LEGAL NOTICE", 300, 250),),
    "locked": (("LOCKED", 300, 250),),
    "cases": (("CASES", 20, 40),),
}
_RESULTS, _TITLE, _SAVE, _SAVED = (20, 100), (300, 100), (20, 300), (300, 300)
_BLINK = 0.05  # seconds


def sign(word: str) -> list[list[bool]]:
    """Give the cells of a word's sign: 6 rows of 24, dark or light; a letter is 1 column of its own and half the next.

    Words that differ in a letter differ in a part of the sign only, as words on a screen do.
    """
    columns: list[list[bool]] = []
    for index in range(12):
        letter = word[index : index + 1]
        bits = int.from_bytes(hashlib.sha256(f"{letter or ' '}".encode()).digest()[:2], "big")
        pair = [[bool(bits >> (row * 2 + side) & 1) for row in range(6)] for side in range(2)]
        columns += pair
    return [[column[row] for column in columns] for row in range(6)]


def write_sign(word: str, path: Path) -> None:
    """Write a word's sign as a PNG, as if it had been cut out of a screenshot."""
    import cv2  # noqa: PLC0415  the application itself does not need them
    import numpy as np  # noqa: PLC0415

    dark = np.repeat(np.repeat(np.array(sign(word)), CELL, axis=0), CELL, axis=1)
    cv2.imwrite(str(path), np.where(dark[:, :, None], 0, 255).astype(np.uint8).repeat(3, axis=2))


class Desk:
    """The application's window and what it shows."""

    def __init__(self, *, password: str = "") -> None:
        self._x = display.Display()
        root = self._x.screen().root
        self._window = root.create_window(
            0, 0, WIDTH, HEIGHT, 0, self._x.screen().root_depth,
            event_mask=X.KeyPressMask | X.ButtonPressMask | X.ExposureMask,
        )  # fmt: skip
        self._window.map()
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._pen = self._window.create_gc()
        self._password = password
        self._title = "TEST RECORD"
        self._delay = 0.0
        self._blinks: bool | None = None
        self._screen = "login" if password else "cases"
        self._shown: set[str] = set()  # of results, record, saved
        self._typed = ""
        self._draw()

    def run(self) -> None:
        """Serve keys and commands until standard input closes."""
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            while self._x.pending_events():
                self._event(self._x.next_event())
            wait = None if self._blinks is None else _BLINK
            readable, _, _ = select.select([sys.stdin, self._x], [], [], wait)
            if sys.stdin in readable:
                told = os.read(sys.stdin.fileno(), 4096).decode()  # as it comes: a buffered line would be seen late
                if not told:
                    return
                for line in told.splitlines():
                    self._command(line)
            if self._blinks is not None:
                self._blinks = not self._blinks
                self._fill((780, 580, 16, 16), 0xFF0000 if self._blinks else 0x0000FF)
                self._x.sync()

    def _command(self, line: str) -> None:
        name, _, value = line.partition(" ")
        if name == "screen":
            self._screen, self._typed = value, ""
        elif name == "fresh":
            self._screen, self._typed, self._shown = "login" if self._password else "cases", "", set()
        elif name == "delay":
            self._delay = float(value)
        elif name == "title":
            self._title = value
        elif name == "show":
            self._shown.add(value)
        elif name == "blink":
            self._blinks = False
        self._draw()

    def _event(self, event: object) -> None:
        kind = getattr(event, "type", None)
        if kind == X.Expose:
            self._draw()
        elif kind == X.KeyPress:
            self._key(self._x.keycode_to_keysym(event.detail, event.state & X.ShiftMask))  # type: ignore[attr-defined]
        elif kind == X.ButtonPress:
            self._click(event.event_x, event.event_y)  # type: ignore[attr-defined]

    def _key(self, keysym: int) -> None:
        if self._screen not in ("login", "cases"):
            return
        if keysym == XK.XK_Return:
            self._enter()
        elif keysym == XK.XK_BackSpace:
            self._typed = self._typed[:-1]
            self._echo()
        elif 0x20 <= keysym < 0x100:
            self._typed += chr(keysym)
            self._echo()

    def _enter(self) -> None:
        time.sleep(self._delay)
        if self._screen == "login":
            self._screen = "cases" if self._typed == self._password else "refused"
        else:
            self._shown.add("results")
        self._typed = ""
        self._draw()

    def _click(self, x: int, y: int) -> None:
        if self._screen != "cases":
            return
        if "results" in self._shown and _inside(x, y, _RESULTS):
            time.sleep(self._delay)
            self._shown.add("record")
        elif "record" in self._shown and _inside(x, y, _SAVE):
            time.sleep(self._delay)
            self._shown.add("saved")
            sys.stdout.write(f"saved {self._typed}\n")
            sys.stdout.flush()
            self._typed = ""
        self._draw()

    def _draw(self) -> None:
        self._fill((0, 0, WIDTH, HEIGHT), _BACKGROUND[self._screen])
        for word, x, y in _SIGNS[self._screen]:
            self._sign(word, x, y)
        if self._screen == "cases":
            self._fill(_READY_BAR, int(READY[1:], 16))
            places = {"results": ("RESULTS", _RESULTS), "record": (self._title, _TITLE), "saved": ("STORED", _SAVED)}
            for what in self._shown:
                word, (x, y) = places[what]
                self._sign(word, x, y)
            if "record" in self._shown:
                self._sign("SAVE", *_SAVE)
        self._echo()

    def _echo(self) -> None:
        """Draw the keys typed so far; those of a password all look the same."""
        x, y, width, height = NOTE if "record" in self._shown else TYPED
        self._fill((x, y, width, height), 0xFFFFFF)
        for index, key in enumerate(self._typed[:50]):
            colour = 0x808080 if self._screen == "login" else ord(key) * 0x9E3779 & 0xFFFFFF
            self._fill((x + 15 * index, y + 2, 12, height - 4), colour)
        self._x.sync()  # a flush may leave some of it unsent when the server is busy

    def _sign(self, word: str, x: int, y: int) -> None:
        for row, cells in enumerate(sign(word)):
            for column, dark in enumerate(cells):
                self._fill((x + column * CELL, y + row * CELL, CELL, CELL), 0 if dark else 0xFFFFFF)

    def _fill(self, box: tuple[int, int, int, int], colour: int) -> None:
        self._pen.change(foreground=colour)
        self._window.fill_rectangle(self._pen, *box)


def _inside(x: int, y: int, place: tuple[int, int]) -> bool:
    return 0 <= x - place[0] < SIGN_SIZE[0] and 0 <= y - place[1] < SIGN_SIZE[1]


if __name__ == "__main__":
    with contextlib.suppress(ConnectionClosedError):  # the desktop ended
        Desk(password=sys.argv[1] if len(sys.argv) > 1 else "").run()
