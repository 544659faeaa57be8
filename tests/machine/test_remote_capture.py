"""What is fetched of a window's picture: what was drawn, and of that only what is looked at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from probes.drivers.remote.capture import Capture
from probes.drivers.remote.display import OwnDisplay, connected

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed"),
]
REGION = (100, 100, 200, 50)


@pytest.fixture
def x(tmp_path: Path) -> Iterator[Display]:
    own = OwnDisplay("1280x1024", tmp_path)
    display = connected(own.name, own.authority)
    yield display
    display.close()
    own.close()


def fill(window: Window, box: tuple[int, int, int, int], colour: int) -> None:
    window.fill_rectangle(window.create_gc(foreground=colour), *box)


def test_what_lies_outside_of_the_region_waits_for_the_look_at_everything(x: Display) -> None:
    root = x.screen().root
    capture = Capture(root)
    everything = (0, 0, 1280, 1024)
    fill(root, (0, 0, 60, 40), 0x20A040)
    fill(root, (110, 110, 8, 9), 0xFF)
    assert capture.fetch(everything, REGION) == (110, 110, 8, 9)
    assert not capture.picture[:40, :60].any()
    assert capture.fetch((0, 0, 60, 40), REGION) is None
    assert capture.due == everything
    assert capture.fetch(everything, None) == (0, 0, 60, 40)
    assert capture.picture[39, 59].tolist() == [0x40, 0xA0, 0x20]


def test_a_large_window_is_put_together_without_seams(x: Display) -> None:
    root = x.screen().root
    for y in range(0, 1024, 8):
        fill(root, (0, y, 1280, 8), y // 8)
    assert Capture(root).picture[::8, 700, 0].tolist() == list(range(128))
