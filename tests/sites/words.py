"""Writes words into an X display, in a process of its own: ``python -m tests.sites.words DISPLAY``.

python-xlib keeps what servers call their events in one place for the whole process, so that a process which talks to
two kinds of X server may break. A block beside the words is another every time, then the words are complete and it
prints when, in seconds of ``time.perf_counter``, which all processes of a machine share.
"""

import sys
import time

import cv2
import numpy as np
from Xlib import X
from Xlib.display import Display

REGION = (100, 400, 400, 60)


def draw(x: Display, words: str, number: int) -> None:
    """Show the words."""
    left, top, width, height = REGION
    picture = np.full((height, width, 4), 255, np.uint8)
    cv2.putText(picture, words, (10, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0, 255), 1, cv2.LINE_AA)
    picture[50:, : 10 + number % 300] = 128
    root = x.screen().root
    pen = root.create_gc(subwindow_mode=X.IncludeInferiors)
    root.put_image(pen, left, top, width, height, X.ZPixmap, x.screen().root_depth, 0, picture.tobytes())
    x.sync()


def main() -> None:
    """Change for 0.6 s, then complete the words."""
    x = Display(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    until, number = time.perf_counter() + 0.6, 0
    while time.perf_counter() < until:
        draw(x, "Case 4711", number)
        number += 1
        time.sleep(0.02)
    sys.stdout.write(f"{time.perf_counter()}\n")
    draw(x, "Case 4711 opened", number)


if __name__ == "__main__":
    main()
