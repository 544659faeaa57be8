"""The remote driver waits for words it reads: in a real session, whose picture changes while it reads."""

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from Xlib import X
from Xlib.display import Display

from collector.model.run import Outcome
from deploy.lab import desk_host
from deploy.lab.desk_host import DeskHost
from probes.drivers.remote import tessdata
from tests.integration.test_remote_driver import opened, step
from tests.stages import remote as stage

MISSING = desk_host.missing() or (None if tessdata.trained() else f"not installed: {tessdata.PACKAGE}")
pytestmark = [pytest.mark.integration, pytest.mark.skipif(MISSING is not None, reason=MISSING or "")]
JOURNEY = """
name: words
variables: {host: 127.0.0.1, port: "5900", case: "4711"}
steps:
  - step: logon
    timeout: 4 s
    screen: [{logon: {ready: {colour: "#20a040", region: [0, 0, 800, 16], share: 0.9}}}]
  - step: wait
    timeout: 10 s
    screen: [{wait_for: {text: "Case {case} opened", region: [100, 400, 400, 60]}}]
  - step: expect
    screen: [{expect: {text: "case closed", region: [100, 400, 400, 60]}}, {wait_for: {change: true}}]
"""


def draw(display: str, words: str, number: int) -> None:
    """Put words into the session's screen, with a block beside them that is another every time."""
    picture = np.full((60, 400, 4), 255, np.uint8)
    cv2.putText(picture, words, (10, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0, 255), 1, cv2.LINE_AA)
    picture[50:, : 10 + number % 300] = 128
    x = Display(display)
    root = x.screen().root
    pen = root.create_gc(subwindow_mode=X.IncludeInferiors)
    root.put_image(pen, 100, 400, 400, 60, X.ZPixmap, x.screen().root_depth, 0, picture.tobytes())
    x.sync()
    x.close()


def type_out(host: DeskHost, seconds: float, shown: list[float]) -> None:
    """Let the region change all the time; after a while the words are there."""
    until = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < until:
        draw(host.display, "Case 4711", number)
        number += 1
        time.sleep(0.02)
    shown.append(time.perf_counter())
    draw(host.display, "Case 4711 opened", number)


def test_words_are_waited_for_and_the_time_of_reading_is_in_the_uncertainty(tmp_path: Path) -> None:
    journey = stage.journey(tmp_path, JOURNEY)
    shown: list[float] = []
    with desk_host.serving() as host, opened(journey, host.port) as session:
        session._context.values["case"] = "4711"
        assert step(journey, session, "logon").outcome is Outcome.OK
        writing = threading.Thread(target=type_out, args=(host, 0.6, shown))
        began = time.perf_counter()
        writing.start()
        waited = step(journey, session, "wait")
        writing.join()
        absent = step(journey, session, "expect")
    assert waited.outcome is Outcome.OK, waited
    assert waited.seconds is not None
    assert waited.uncertainty_seconds is not None
    true = shown[0] - began
    assert true - 0.1 < waited.seconds + waited.uncertainty_seconds  # the driver's clock starts a little later
    assert waited.seconds - waited.uncertainty_seconds < true + 0.3  # the words still had to come over VNC
    assert waited.uncertainty_seconds > 0.003  # it holds a reading, which takes this long on any machine
    assert (absent.outcome, absent.error_kind) == (Outcome.FAILED, "expect")
    assert absent.error == "case closed is not to be seen"
