"""A real remote session: an Xvnc desktop near the application, and a viewer across a link.

``python -m deploy.lab.session host PORT COMMAND …`` starts the desktop and runs COMMAND in it, as a
desktop's start-up script would; when one ends, so does the other.
``python -m deploy.lab.session view HOST PORT`` keeps a viewer connected.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

import asyncvnc

PORT = 5977  # at which the picture is served
_DISPLAY = ":77"  # a TCP port of the namespace, so that it meets no other display of this machine
DISPLAY = f"127.0.0.1{_DISPLAY}"
_START_TIMEOUT = 10.0  # seconds
# No password: only the lab's own namespaces can reach it.
_DESKTOP = ["Xvnc", _DISPLAY, "-geometry", "800x600", "-depth", "24", "-SecurityTypes", "None", "-AlwaysShared"]
_NO_FILES = ["-nolisten", "unix", "-nolisten", "local", "-listen", "tcp", "-nolock", "-ac"]


def missing() -> str | None:
    """Say what is not installed; None when sessions can be made."""
    return None if shutil.which("Xvnc") else "Xvnc is not installed (package tigervnc-standalone-server)"


def host(port: int, command: Sequence[str]) -> int:
    """Run a desktop with one command in it; give the command's exit code."""
    follow = ["setpriv", "--pdeathsig", "TERM", "--"]
    desktop = subprocess.Popen([*follow, *_DESKTOP, *_NO_FILES, "-rfbport", str(port)])
    try:
        _wait_for(port, desktop)
        environment = {**os.environ, "DISPLAY": DISPLAY, "VNCDESKTOP": f"lab{_DISPLAY}"}
        inside = subprocess.Popen([*follow, *command], env=environment)
        signal.signal(signal.SIGTERM, lambda *_: inside.terminate())
        return inside.wait()
    finally:
        desktop.terminate()
        desktop.wait()


async def view(address: str, port: int) -> None:
    """Stay connected and take every update of the picture; connect again when the connection is lost."""
    while True:
        try:
            async with asyncvnc.connect(address, port) as client:
                client.video.refresh()
                while True:
                    await client.read()
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.5)


def _wait_for(port: int, desktop: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while desktop.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("Xvnc did not start")


def main() -> None:
    """Be one side of the session."""
    if sys.argv[1] == "host":
        sys.exit(host(int(sys.argv[2]), sys.argv[3:]))
    asyncio.run(view(sys.argv[2], int(sys.argv[3])))


if __name__ == "__main__":
    main()
