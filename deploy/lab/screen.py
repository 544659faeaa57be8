"""The lab's remote session as the person in front of it has it: keys are typed across the cable, and seen.

Inside the desktop runs the desk (``desk.py``), and beside it the program that times the same waits there.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.lab import session
from deploy.lab.program import Program, module, wait_until
from deploy.lab.world import ADDRESS, PORT, World

ENDPOINT = "screen-1"
_JOURNEY = Path(__file__).with_name("desk-keys.yaml")
_NEEDS = {"Xlib": "python-xlib", "cv2": "opencv-python-headless"}
_START_TIMEOUT = 20.0  # seconds


def missing() -> str | None:
    """Say what this machine lacks to look at the session from outside; None when it can."""
    lacking = [package for name, package in _NEEDS.items() if find_spec(name) is None]
    packages = f"{' and '.join(lacking)} not installed: pip install 'whichlayer[remote]'" if lacking else None
    return session.missing() or packages


def furnish(world: World, name: str, inside: Path) -> list[Program]:
    """Put the desk into the desktop that runs, and the program that watches it. Raises LabError."""
    environment, (desktop, *_) = {"DISPLAY": session.DISPLAY}, world.agents["session-1"]
    wait_until(lambda: "accepted: " in desktop.log.read_text(), _START_TIMEOUT, desktop.last_words)
    desk = world.programs.start(f"{name}-desk", world.server().run(module("desk")), told=True, environment=environment)
    desk.wait_ready()
    inside.mkdir(mode=0o700)
    command = [sys.executable, "-m", "whichlayer", "inside", str(inside)]
    watching = world.programs.start(f"{name}-inside", world.server().run(command), environment=environment)
    wait_until(lambda: "watching" in watching.log.read_text(), _START_TIMEOUT, watching.last_words)
    return [desk, watching]


def agent(every: float, samples: float, inside: Path) -> dict[str, Any]:
    """Give what the agent in front of the session does, every so many seconds."""
    walked = {
        "file": str(_JOURNEY), "driver": "remote", "every": every,
        "variables": {"host": ADDRESS, "port": str(session.PORT)}, "settings": {"inside": {"folder": str(inside)}},
    }  # fmt: skip
    # The way to the session's host, by another port than the one the picture comes by.
    host = {"station": "host", "host": ADDRESS, "port": PORT, "layer": "network_core"}
    ladder = {"sampler": "connect", "component": ENDPOINT, "settings": {"rungs": [host]}, "every": samples}
    access = {"link": "wired", "presentation": "vnc"}
    return {"access": access, "journeys": [walked], "samplers": [ladder], "budget": {"logons_per_hour": 3600 / every}}
