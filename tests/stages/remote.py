"""The stage of the remote driver: the desk in an Xvnc desktop, seen by the headless viewer."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.lab import desk, desk_host
from probes.journey.file import Journey, parse
from tests.stages.stage import Stage

WORDS = ("CASES", "RESULTS", "TEST RECORD", "SAVE", "STORED", "WRONG PASSWORD", "LEGAL NOTICE", "LOCKED")
VNC_PASSWORD = "vnc-4711"
DESK_PASSWORD = "desk-canary-77"

JOURNEY = """
name: case-in-session
variables: {host: 127.0.0.1, port: "5900"}
secrets: {vnc_password: env:VNC_PASSWORD, password: env:DESK_PASSWORD}
steps:
  - step: logon
    sign_in: true
    target: 20 s
    screen:
      - logon:
          credentials: {password: "{vnc_password}"}
          ready: {image: sign-in.png, region: [0, 0, 400, 100]}
          instead:
            authentication: {image: wrong-password.png}
            notice: {image: legal-notice.png}
            locked: {image: locked.png}
      - type_secret: "{password}"
      - press: Return
      - wait_for: {colour: "#20a040", region: [0, 0, 800, 16], share: 0.9}
  - step: type
    timeout: 10 s
    screen:
      - keystrokes: {keys: asd, region: [0, 180, 800, 120]}
  - step: search
    target: 5 s
    screen:
      - type: smith
      - press: Return
      - wait_for: {image: results.png}
  - step: open
    screen:
      - click: {image: results.png}
      - wait_for: {image: save.png, region: [0, 280, 400, 100]}
  - step: save
    action: write
    safe_record: test-record.png
    screen:
      - type: "n {run_id}"
      - click: {image: save.png}
      - wait_for: {image: stored.png, region: [300, 280, 200, 100]}
"""


def journey(folder: Path, text: str = JOURNEY) -> Journey:
    """Give a journey with the images of the desk's signs beside it."""
    for word in (*WORDS, "SIGN IN"):
        desk.write_sign(word, folder / f"{word.lower().replace(' ', '-')}.png")
    return parse(text, folder / "journey.yaml")


@contextmanager
def serving() -> Iterator[Stage]:
    lacking = desk_host.missing()
    if lacking:
        pytest.skip(lacking)
    with (
        tempfile.TemporaryDirectory() as folder,
        desk_host.serving(vnc_password=VNC_PASSWORD, desk_password=DESK_PASSWORD) as host,
    ):
        yield Stage(
            journey=journey(Path(folder)),
            variables={"port": str(host.port)},
            nowhere={"port": "9"},  # the discard port: nobody listens
            secrets={"vnc_password": VNC_PASSWORD, "password": DESK_PASSWORD},
            acted=lambda: len(host.saved),
            hide_safe_record=lambda: host.tell("title SMITH"),  # somebody's real record
        )
