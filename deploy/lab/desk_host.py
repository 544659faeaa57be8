"""A remote session's host for tests and measurements: an Xvnc desktop with the desk in it."""

import contextlib
import os
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from deploy.lab.namespace import LabError

_START_TIMEOUT = 20.0  # seconds
_DISPLAYS = (1000, 59999)  # by lot: a server in another network namespace would take the first free number as well
_VNC_KEY = bytes.fromhex("e84ad660c4721ae0") * 3  # the one every VNC server hides its password file with
_FOLLOW = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass
class DeskHost:
    """A running desktop. ``server`` and ``desk`` are its two processes."""

    port: int
    display: str
    server: subprocess.Popen[bytes]
    desk: subprocess.Popen[str]
    _notes: list[str] = field(default_factory=list)

    def tell(self, command: str) -> None:
        """Change what the desk shows."""
        assert self.desk.stdin is not None
        self.desk.stdin.write(command + "\n")
        self.desk.stdin.flush()

    @property
    def saved(self) -> list[str]:
        """The notes that were saved so far."""
        assert self.desk.stdout is not None
        while select.select([self.desk.stdout], [], [], 0)[0]:
            line = self.desk.stdout.readline()
            if not line:
                break
            self._notes.append(line.strip().removeprefix("saved "))
        return list(self._notes)


def missing() -> str | None:
    """Say what is not installed; None when a desktop can be started."""
    return None if shutil.which("Xvnc") else "Xvnc is not installed (package tigervnc-standalone-server)"


@contextlib.contextmanager
def serving(
    *, vnc_password: str = "", desk_password: str = "", address: str = "127.0.0.1", inside: Sequence[str] = ()
) -> Iterator[DeskHost]:
    """Run a desktop; ``inside`` are the words that make a command run in a namespace, ``address`` is that one's."""
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:
        port = _free_port()
        server, display = _start_server(Path(folder), [*inside, *_FOLLOW], port, address, vnc_password)
        desk = None
        try:
            desk = subprocess.Popen(
                [*_FOLLOW, sys.executable, "-m", "deploy.lab.desk", *([desk_password] if desk_password else [])],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": display},
            )  # fmt: skip
            assert desk.stdout is not None
            if desk.stdout.readline() != "ready\n":
                raise LabError("the desk did not start in its desktop")
            yield DeskHost(port, display, server, desk)
        finally:
            for process in (desk, server):
                if process is not None:
                    _end(process)


def _start_server(
    folder: Path, words: Sequence[str], port: int, address: str, password: str
) -> tuple[subprocess.Popen[bytes], str]:
    security = ["-SecurityTypes", "None"]
    if password:
        file = folder / "password"
        file.touch(mode=0o600)
        file.write_bytes(_hidden(password))
        security = ["-SecurityTypes", "VncAuth", "-PasswordFile", str(file)]
    reader, writer = os.pipe()
    options = ["-geometry", "800x600", "-depth", "24", "-rfbport", str(port), "-interface", address]
    display = f":{random.randint(*_DISPLAYS)}"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*words, "Xvnc", display, "-displayfd", str(writer), *options, *security, "-AlwaysShared"]
            + ["-nolisten", "tcp"],
            pass_fds=(writer,), stdout=log, stderr=log,
        )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader) as told:
        ready, _, _ = select.select([told], [], [], _START_TIMEOUT)
        number = told.readline().strip() if ready else ""
    if not number:
        _end(server)
        raise LabError(f"Xvnc did not start: {(folder / 'log').read_text(errors='replace')[-300:]}")
    return server, f":{number}"


def _end(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _hidden(password: str) -> bytes:
    """Hide a password as ``vncpasswd`` does; it is no protection, only the format of the file."""
    work = Cipher(TripleDES(_VNC_KEY), modes.ECB()).encryptor()  # noqa: S305  the format asks for it
    return work.update(password.encode()[:8].ljust(8, b"\0")) + work.finalize()
