"""An RDP host for tests and measurements: xrdp with the desk in its session. Needs root, changes nothing.

Accounts and settings are copies that only a mount namespace of its own sees, and a process namespace
takes every process with it when it ends.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.lab.namespace import LabError

USER = "whichlayer-lab"
_START_TIMEOUT = 20.0  # seconds
_PROGRAMS = {
    "xrdp": "xrdp",
    "xrdp-sesman": "xrdp",
    "xfreerdp": "freerdp2-x11",
    "Xorg": "xorgxrdp",
    "openssl": "openssl",
}
_INSIDE = """set -e
for name in passwd shadow; do mount --bind "$1/$name" "/etc/$name"; done
mount --bind "$1/xrdp" /etc/xrdp
mkdir -p /run/xrdp
mount -t tmpfs none /run/xrdp
xrdp-sesman -n &
exec xrdp -n
"""
_DESK = """#!/bin/sh
cd {root}
tail -f /dev/null | exec {python} -m deploy.lab.desk
"""


@dataclass(frozen=True)
class RdpHost:
    """A running host; ``processes`` holds everything in it."""

    port: int
    password: str
    process: "subprocess.Popen[bytes]"

    def session_process(self, name: str) -> psutil.Process:
        """Find a program of the session by its name: ``Xorg``, ``xrdp``."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if process.name() == name:
                return process
        raise LabError(f"there is no {name} in the session")


def missing() -> str | None:
    """Say why no host can be started here; None when one can."""
    if os.geteuid() != 0:
        return "an RDP host needs root"
    absent = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    return f"not installed: {', '.join(sorted(set(absent)))}" if absent else None


@contextlib.contextmanager
def serving(password: str, *, address: str = "127.0.0.1", inside: Sequence[str] = ()) -> Iterator[RdpHost]:
    """Run a host whose one account has this password, here or ``inside`` a namespace with that ``address``.

    Raises LabError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="rdp-") as name:
        folder = Path(name)
        port, sesman = _free_ports()
        _write_accounts(folder, password)
        _write_settings(folder, f"tcp://{address}:{port}", sesman)
        words = [
            *inside,
            "setpriv",
            "--pdeathsig",
            "KILL",
            "--",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*words, "--mount-proc", "sh", "-c", _INSIDE, "sh", str(folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            _wait_until_listening(process, folder)
            yield RdpHost(port, password, process)
        finally:
            process.kill()
            process.wait()


def _write_accounts(folder: Path, password: str) -> None:
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True
    ).stdout.strip()
    added = {"passwd": f"{USER}:x:0:0::{folder}:/bin/sh\n", "shadow": f"{USER}:{hashed}:19000:0:99999:7:::\n"}
    for name, line in added.items():
        path = folder / name
        path.touch(mode=0o600 if name == "shadow" else 0o644)
        path.write_text(Path("/etc", name).read_text(encoding="utf-8") + line, encoding="utf-8")


def _write_settings(folder: Path, listen: str, sesman_port: int) -> None:
    settings = folder / "xrdp"
    shutil.copytree("/etc/xrdp", settings, symlinks=True)
    desk = settings / "desk.sh"
    desk.write_text(_DESK.format(root=Path(__file__).parents[2], python=sys.executable), encoding="utf-8")
    desk.chmod(0o755)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
        + ["-keyout", str(settings / "own.key"), "-out", str(settings / "own.pem")],
        capture_output=True,
        check=True,
    )
    _change(
        settings / "xrdp.ini",
        {
            "port": listen,  # the first only: [Xorg] has one as well
            "certificate": "/etc/xrdp/own.pem",
            "key_file": "/etc/xrdp/own.key",
            "LogFile": str(folder / "xrdp.log"),
            "EnableSyslog": "false",
        },
    )
    _change(
        settings / "sesman.ini",
        {
            "ListenPort": str(sesman_port),
            "EnableUserWindowManager": "false",
            "DefaultWindowManager": "/etc/xrdp/desk.sh",
            "LogFile": str(folder / "sesman.log"),
            "EnableSyslog": "false",
        },
    )


def _change(path: Path, values: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        text = re.sub(rf"^{key}=.*$", f"{key}={value}", text, count=1, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def _wait_until_listening(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    log = folder / "xrdp.log"
    while process.poll() is None and time.monotonic() < deadline:
        if log.is_file() and "listen_pp done" in log.read_text(errors="replace"):
            return
        time.sleep(0.05)
    raise LabError(f"xrdp did not start: {(folder / 'log').read_text(errors='replace')[-300:]}")
