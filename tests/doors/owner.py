"""A real ``whichlayer up`` as a process of its own, on a free port of loopback."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from whichlayer.owner import OPERATOR, OWNER

_START_SECONDS = 60.0


def configuration(folder: Path, more: str = "", **collector: object) -> Path:
    """Write a configuration; data are in ``folder/data``."""
    lines = [f"  {key}: {value}" for key, value in ({"data": "data", "port": 0} | collector).items()]
    path = folder / "whichlayer.yaml"
    path.write_text("\n".join(["site: test-site", "collector:", *lines, more]) + "\n")
    return path


class Owner:
    """The running process."""

    def __init__(self, config: Path, *options: str) -> None:
        self.config = config
        self.data = config.parent / "data"
        self.log = config.parent / "log"
        command = [sys.executable, "-m", "whichlayer", "up", "--config", str(config), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def ready(self) -> str:
        """Wait until it answers; give its URL."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError, httpx2.HTTPError):
                owner = json.loads((self.data / OWNER).read_text())
                if owner["pid"] == self.process.pid:
                    httpx2.get(f"{owner['url']}/readyz", trust_env=False).raise_for_status()
                    return str(owner["url"])
            time.sleep(0.05)
        raise AssertionError(f"it did not start: {self.log.read_text()}")

    def token(self) -> str:
        """Give the operator's token."""
        return (self.data / OPERATOR).read_text().strip()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def owner(config: Path, *options: str) -> Iterator[Owner]:
    """Run it for the block; it is gone afterwards."""
    running = Owner(config, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def children(pid: int) -> set[int]:
    """Give the processes below ``pid``."""
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def alive(pids: set[int], *, within: float = 10.0) -> set[int]:
    """Give those that still run after a moment's grace, in seconds."""
    found = set(pids)
    deadline = time.monotonic() + within
    while found and time.monotonic() < deadline:
        found = {pid for pid in found if _runs(pid)}
        time.sleep(0.05)
    return found


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
