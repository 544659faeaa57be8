"""An X display of the driver's own (Xvfb): nobody is disturbed by it, and nobody else can look at it."""

import os
import select
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from Xlib import display
from Xlib.error import DisplayError

from collector.model.errors import WhichlayerError

_START_TIMEOUT = 20.0  # seconds
_FAMILY_LOCAL = 256
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_ENVIRONMENT = threading.Lock()


class OwnDisplay:
    """One Xvfb with a cookie that only this process and its client know."""

    def __init__(self, size: str, folder: Path) -> None:
        if shutil.which("Xvfb") is None:
            raise WhichlayerError("Xvfb is not installed: apt-get install xvfb, or say xvfb: null to use $DISPLAY")
        self.authority = folder / "authority"
        _write_cookie(self.authority)
        self._process, number = _started(size, self.authority)
        self.name = f":{number}"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def connected(name: str, authority: Path | None) -> display.Display:
    """Connect to a display. Raises WhichlayerError.

    The library reads the place of the cookie from the environment and nowhere else.
    """
    with _ENVIRONMENT:
        kept = os.environ.get("XAUTHORITY")
        if authority is not None:
            os.environ["XAUTHORITY"] = str(authority)
        try:
            found = display.Display(name)
        except (DisplayError, OSError) as error:
            raise WhichlayerError(f"the display {name} cannot be used: {error}") from None
        finally:
            if authority is not None:
                os.environ.pop("XAUTHORITY")
                if kept is not None:
                    os.environ["XAUTHORITY"] = kept
    if not (found.has_extension("DAMAGE") and found.has_extension("XTEST")):
        found.close()
        raise WhichlayerError(f"the display {name} has no DAMAGE or XTEST: use Xvfb or an Xorg")
    found.set_error_handler(lambda *_: None)  # what goes wrong shows in the picture that cannot be taken
    return found


def following(command: Sequence[str]) -> list[str]:
    """Give the command as one that does not outlive this process, where the system can do that."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command] if shutil.which("setpriv") else [*command]


def _started(size: str, authority: Path) -> "tuple[subprocess.Popen[bytes], int]":
    reader, writer = os.pipe()
    with os.fdopen(reader) as told:
        try:
            process = subprocess.Popen(
                following(
                    ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-auth", str(authority)]
                    + ["-nolisten", "tcp", "-noreset"]
                ),
                pass_fds=(writer,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(writer)
        ready, _, _ = select.select([told], [], [], _START_TIMEOUT)
        number = told.readline().strip() if ready else ""
    if not number:
        process.kill()
        process.wait()
        raise WhichlayerError("Xvfb did not start: run Xvfb :99 to see why")
    return process, int(number)


def _write_cookie(path: Path) -> None:
    """Write the file of cookies: one, for every display of this host."""
    path.touch(mode=0o600)
    fields = (socket.gethostname().encode(), b"", _COOKIE, os.urandom(16))
    packed = b"".join(struct.pack(">H", len(field)) + field for field in fields)
    path.write_bytes(struct.pack(">H", _FAMILY_LOCAL) + packed)
