"""The process of the site's remote client: how it gets its secrets, and what its end means.

A secret reaches the client by its standard input, its environment or a file of mode 600 that is
removed once the session is there; never by its command line, which every user of the machine can read.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from collector.model.errors import WhichlayerError
from collector.model.run import Outcome
from probes.drivers.remote.display import following
from probes.drivers.remote.settings import WindowSettings
from probes.drivers.remote.viewer import Ended
from probes.journey import placeholder
from probes.posix import end_group, watch_end

_GRACE = 2.0  # seconds a client has to end by itself

# What FreeRDP's documented exit codes say; those of a site's own client go into its settings.
_FREERDP = {
    1: "admin", 2: "admin", 3: "idle", 4: "limit", 5: "replaced", 6: "host", 7: "refused", 8: "refused",
    9: "refused", 10: "authentication", 11: "user", 12: "logged_off", 131: "network", 132: "authentication",
    133: "protocol", 134: "authentication", 135: "authentication", 139: "resolve", 140: "resolve", 141: "connect",
    142: "protocol", 143: "tls", 144: "refused", 147: "connect",
}  # fmt: skip


class Client:
    """The client of one run."""

    def __init__(self, settings: WindowSettings, values: Mapping[str, str], folder: Path) -> None:
        self._settings = settings
        self._values = values
        self._file = folder / "secret"
        self._process: subprocess.Popen[bytes] | None = None
        program = settings.command[0]
        if "{" not in program and shutil.which(program) is None:
            raise WhichlayerError(f"the client {program} is not installed, or not where the settings say")
        known = {*values, *(["secret_file"] if settings.secret_file is not None else [])}
        for word in settings.command:
            unknown = sorted(set(placeholder.names(word)) - known)
            if unknown:
                raise WhichlayerError(
                    f"window.command: {{{unknown[0]}}} is not a variable of the journey; a secret may stand in stdin, "
                    "environment or secret_file only"
                )

    def start(self, credentials: Mapping[str, str], environment: Mapping[str, str]) -> int:
        """Start it; give a descriptor that becomes readable when it ends. Raises WhichlayerError."""
        handed = {**self._values, **credentials}
        settings = self._settings
        if settings.secret_file is not None:
            self._file.touch(mode=0o600)
            self._file.write_text(_filled(settings.secret_file, handed), encoding="utf-8")
        command = [
            placeholder.fill(word, {**self._values, "secret_file": str(self._file)}) for word in settings.command
        ]
        added = {name: _filled(text, handed) for name, text in settings.environment.items()}
        try:
            self._process = subprocess.Popen(
                following(command),
                stdin=subprocess.PIPE if settings.stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **environment, **added},
                start_new_session=True,
            )
        except OSError as error:
            raise Ended(Outcome.NOT_READY, "setup", f"{command[0]} cannot be started: {error.strerror}") from None
        if self._process.stdin is not None and settings.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(_filled(settings.stdin, handed).encode())
        return watch_end(self._process.pid)

    def forget_secrets(self) -> None:
        """Remove the file of secrets: a client that shows its session has read it."""
        self._file.unlink(missing_ok=True)

    def ended(self, *, during_logon: bool, wait: float = 0.0) -> Ended | None:
        """Say what it means that the client is no longer there; None while it is. Waits for ``wait`` seconds."""
        assert self._process is not None
        try:
            code = self._process.wait(wait)
        except subprocess.TimeoutExpired:
            return None
        outcome = Outcome.FAILED if during_logon else Outcome.DROPPED
        return Ended(outcome, self._meaning(code), f"the client ended with exit code {code}")

    def close(self) -> None:
        """End it and everything it started."""
        self.forget_secrets()
        if self._process is None:
            return
        for gently in (True, False):
            end_group(self._process.pid, gently=gently)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)

    def _meaning(self, code: int) -> str:
        own = self._settings.exit_codes.get(code)
        program = Path(self._settings.command[0]).name
        return own or (_FREERDP.get(code, "client") if "freerdp" in program else "client")


def _filled(text: str, values: Mapping[str, str]) -> str:
    unknown = sorted(set(placeholder.names(text)) - set(values))
    if unknown:
        raise Ended(
            Outcome.NOT_READY, "setup", f"{{{unknown[0]}}} of the window's settings is not in logon.credentials"
        )
    return placeholder.fill(text, values)
