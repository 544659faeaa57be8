"""The remote driver waits for words it reads: in a real session, whose picture changes while it reads."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.model.run import Outcome
from deploy.lab import desk_host
from probes.drivers.remote import tessdata
from tests.machine.test_remote_driver import opened, step
from tests.stages import remote as stage

MISSING = desk_host.missing() or (None if tessdata.trained() else f"not installed: {tessdata.PACKAGE}")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
]
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


def test_words_are_waited_for_and_the_time_of_reading_is_in_the_uncertainty(tmp_path: Path) -> None:
    journey = stage.journey(tmp_path, JOURNEY)
    with desk_host.serving() as host, opened(journey, host.port) as session:
        session._context.values["case"] = "4711"
        assert step(journey, session, "logon").outcome is Outcome.OK
        command = [sys.executable, "-m", "tests.sites.words", host.display]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writing:
            assert writing.stdin is not None
            assert writing.stdout is not None
            assert writing.stdout.readline() == "ready\n"
            began = time.perf_counter()
            writing.stdin.write("\n")
            writing.stdin.flush()
            waited = step(journey, session, "wait")
            true = float(writing.stdout.readline()) - began
        absent = step(journey, session, "expect")
    assert waited.outcome is Outcome.OK, waited
    assert waited.seconds is not None
    assert waited.uncertainty_seconds is not None
    assert true - 0.1 < waited.seconds + waited.uncertainty_seconds  # the driver's clock starts a little later
    assert waited.seconds - waited.uncertainty_seconds < true + 0.3  # the words still had to come over VNC
    assert waited.uncertainty_seconds > 0.003  # it holds a reading, which takes this long on any machine
    assert (absent.outcome, absent.error_kind) == (Outcome.FAILED, "expect")
    assert absent.error == "case closed is not to be seen"
