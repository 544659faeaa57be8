"""A print queue as estates have it: a CUPS server of our own on loopback, in front of the lab's printer."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.lab import printer
from deploy.lab.namespace import LabError
from deploy.lab.program import Programs, wait_until

NAME = "lab"
_CUPSD = "/usr/sbin/cupsd"
_START_TIMEOUT = 15.0  # seconds
_ANYBODY = "Order allow,deny\nAllow localhost\n"

_SERVER = """
Listen localhost:{port}
Listen {folder}/socket
LogLevel info
Browsing Off
WebInterface No
DefaultAuthType None
<Location />
{anybody}</Location>
<Policy default>
<Limit All>
{anybody}</Limit>
</Policy>
"""

_FILES = """
{user}
SystemGroup root
ErrorLog stderr
AccessLog {folder}/log/access
PageLog {folder}/log/page
ServerRoot {folder}/root
RequestRoot {folder}/spool
TempDir {folder}/spool/tmp
CacheDir {folder}/cache
StateDir {folder}/state
"""

# What the package cups-filters would do: the printer takes PDF as it is.
_CONVERSIONS = "application/pdf application/vnd.cups-pdf 0 -\n"


def missing() -> str | None:
    """Say what is not installed; None when there can be a queue."""
    lost = [] if Path(_CUPSD).exists() else ["cupsd (package cups-daemon)"]
    lost += [] if shutil.which("lpadmin") else ["lpadmin (package cups-client)"]
    return f"not installed: {', '.join(lost)}" if lost else None


@dataclass(frozen=True, slots=True)
class PrintQueue:
    """A running queue."""

    server: str
    port: int
    name: str = NAME

    @property
    def uri(self) -> str:
        """Where a document for this queue goes."""
        return f"ipp://{self.server}/printers/{self.name}"

    def manage(self, command: str, *more: str) -> None:
        """Do what an administrator does with one of CUPS's commands: ``cupsdisable``, ``cupsreject``, ``lpadmin``."""
        named = ["-p", self.name] if command == "lpadmin" else [self.name]
        words = [command, "-h", self.server, *named, *more]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise LabError(f"{command}: {done.stderr.strip()}")


@contextmanager
def queueing(folder: Path, destination: str) -> Iterator[PrintQueue]:
    """Run a CUPS server with one queue that prints to ``destination``. Raises LabError when it does not start."""
    port = printer.free_port()
    programs = Programs(folder)
    files = _configure(folder, port)
    try:
        server = programs.start("cupsd", [_CUPSD, "-f", "-c", str(folder / "cupsd.conf"), "-s", str(files)])
        wait_until(lambda: printer.answers(port), _START_TIMEOUT, lambda: f"no queue: {server.last_words()}")
        queue = PrintQueue(f"localhost:{port}", port)
        queue.manage("lpadmin", "-E", "-v", destination, "-m", "everywhere")
        yield queue
    finally:
        programs.stop_all()


def _configure(folder: Path, port: int) -> Path:
    for name in ("root", "root/ppd", "log", "cache", "state", "spool", "spool/tmp"):
        (folder / name).mkdir(mode=0o770)
    user = ""
    if os.geteuid() == 0:  # CUPS does its work as somebody with fewer rights, who must get there
        user = "User lp\nGroup lp"
        folder.chmod(0o711)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, group="lp")
    (folder / "root" / "mime.convs").write_text(_CONVERSIONS)
    (folder / "cupsd.conf").write_text(_SERVER.format(port=port, folder=folder, anybody=_ANYBODY))
    files = folder / "cups-files.conf"
    files.write_text(_FILES.format(user=user, folder=folder))
    return files
