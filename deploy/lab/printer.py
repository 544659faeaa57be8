"""A real printer on loopback (the machine's, or a namespace's): CUPS's ippeveprinter, whose engine does as it is told.

It wants a D-Bus system bus and gets a private one; nothing is announced on any network.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.lab import print_engine
from deploy.lab.program import Program, Programs, wait_until

NAME = "Lab Printer"
_START_TIMEOUT = 15.0  # seconds
_FOLLOW = ["setpriv", "--pdeathsig", "TERM", "--"]  # nothing outlives the lab
_PROCESSING = re.compile(r"Processing time was ([0-9.]+) seconds")
_CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=1)"
_TOOLS = {"ippeveprinter": "cups-ipp-utils", "dbus-daemon": "dbus-daemon", "setpriv": "util-linux"}


def missing() -> str | None:
    """Say what is not installed; None when there can be a printer."""
    lost = [f"{tool} (package {package})" for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    return f"not installed: {', '.join(lost)}" if lost else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the engine prints from now on: for so many seconds, with so many sides, ending with this exit code.

    With a ``reason``, such as ``media-empty``, it first stands still until the printer is helped.
    """

    seconds: float = 0.1
    sides: int | None = 1
    exit: int = 0
    reason: str | None = None


@dataclass(slots=True)
class Printed:
    """One job as the engine saw it: digest of the document, and ``perf_counter`` of begin and end."""

    digest: str
    begun: float
    ended: float | None = None


@dataclass(slots=True)
class Printer:
    """A running printer. ``manner`` may be changed at any time; it holds for the jobs that follow."""

    uri: str
    program: Program
    manner: Manner = field(default_factory=Manner)
    jobs: list[Printed] = field(default_factory=list)
    _helped: threading.Event = field(default_factory=threading.Event)

    def behave(self, manner: Manner) -> None:
        """Print the following jobs like this."""
        self._helped.clear()
        self.manner = manner

    def help(self) -> None:
        """Bring paper, clear the jam: an engine that stands still goes on."""
        self._helped.set()

    def settle(self) -> None:
        """Help and wake it, and wait until it has no job left; then it prints as at the beginning."""
        self.help()
        self.wake()
        wait_until(
            lambda: len(self.processing_seconds()) == len(self.jobs),
            _START_TIMEOUT,
            lambda: "the printer has a job left",
        )
        self.behave(Manner())

    def hang(self) -> None:
        """Stop the whole printer in its tracks: it is connected to, and says nothing."""
        self.program.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """End ``hang``."""
        with suppress(ProcessLookupError):
            self.program.process.send_signal(signal.SIGCONT)

    def idle(self) -> bool:
        """Say whether every job that began has ended, as the printer's log says."""
        return len(self.processing_seconds()) == len(self.jobs)

    def processing_seconds(self) -> list[float]:
        """Read from the printer's own log how long it took for each job that ended."""
        return [float(found[1]) for found in _PROCESSING.finditer(self.program.log.read_text(errors="replace"))]

    def serve(self, listener: socket.socket) -> None:
        """Answer the engines, one job each, until the listener is closed."""
        with suppress(OSError):
            while True:
                engine, _ = listener.accept()
                threading.Thread(target=self._answer, args=(engine,), daemon=True).start()

    def _answer(self, engine: socket.socket) -> None:
        with suppress(OSError), engine, engine.makefile("rw") as lines:
            job = Printed(lines.readline().strip(), time.perf_counter())
            self.jobs.append(job)
            lines.write(json.dumps(asdict(self.manner)) + "\n")
            lines.flush()
            if self.manner.reason:
                self._helped.wait()
                lines.write("go on\n")
                lines.flush()
            if lines.readline():
                job.ended = time.perf_counter()


@contextmanager
def printing(folder: Path, *, inside: Sequence[str] = ()) -> Iterator[Printer]:
    """Run a printer, with its files and logs in ``folder``. Raises LabError when it does not start.

    ``inside`` are the words that enter the namespace on whose loopback it is. Its certificate is ``keys/localhost.crt``
    with ``keys/localhost.key`` if they are there, else of its own making.
    """
    programs = Programs(folder)
    bus, engine, port = f"unix:path={folder}/bus", folder / "engine", free_port()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "owner"))
    listener.listen()
    engine.write_text(f'#!/bin/sh\nexec {shlex.join(_engine(folder / "owner"))} "$1"\n')
    engine.chmod(0o700)
    keys = folder / "keys"  # else the printer makes some in the user's home
    keys.mkdir(exist_ok=True)
    (folder / "spool").mkdir()
    words = ["-vv", "-r", "off", "-n", "localhost", "-p", str(port), "-d", str(folder / "spool")]
    words += ["-K", str(keys), "-f", "application/pdf,text/plain", "-c", str(engine), NAME]
    try:
        follow = [*inside, *_FOLLOW]
        programs.start("bus", [*follow, "dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}"])
        wait_until((folder / "bus").exists, _START_TIMEOUT, lambda: "the private D-Bus did not start")
        program = programs.start(
            "printer", [*follow, "ippeveprinter", *words], environment={"DBUS_SYSTEM_BUS_ADDRESS": bus}
        )
        wait_until(lambda: answers(port, inside), _START_TIMEOUT, lambda: f"no printer: {program.last_words()}")
        printer = Printer(f"ipp://localhost:{port}/ipp/print", program)
        threading.Thread(target=printer.serve, args=(listener,), daemon=True).start()
        yield printer
        printer.help()
        printer.wake()
    finally:
        programs.stop_all()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def free_port() -> int:
    """Give a port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(port: int, inside: Sequence[str] = ()) -> bool:
    """Say whether somebody listens on this port of loopback, here or inside a namespace."""
    if inside:
        command = [*inside, sys.executable, "-I", "-S", "-c", _CONNECT, str(port)]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _engine(owner: Path) -> list[str]:
    return [sys.executable, "-I", "-S", os.fspath(Path(print_engine.__file__)), str(owner)]
