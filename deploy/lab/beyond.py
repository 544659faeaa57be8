"""What the lab's wired desk uses beside the application: the printer next to it, and a service that is not ours.

Neither is needed by anything else: what this machine cannot offer is left out, and said.
"""

import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.lab import printer
from deploy.lab.far_end import AUTHORITY
from deploy.lab.namespace import LabError, Namespace
from deploy.lab.printer import NAME, Manner, Printer, printing
from deploy.lab.program import Program, Programs, module

EDGE = "10.77.5.2"  # our own router, the last station of ours on the way out
ADDRESS = "10.77.4.2"  # of the far end
USUAL = Manner(seconds=1.0)  # a page takes its time; what a busy machine adds is little beside it
_PORT = 8443
_HERE = Path(__file__).parent


@dataclass(slots=True)
class Beyond:
    """Everything that runs; None what is not there."""

    printer: Printer | None = None
    far_end: Program | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def start_printer(self, folder: Path, desk: Namespace) -> None:
        """Put a printer next to a desk. Raises LabError."""
        folder.mkdir()
        self.printer = self._open.enter_context(printing(folder, inside=desk.enter()))
        self.printer.behave(USUAL)

    def start_far_end(self, folder: Path, programs: Programs, outside: Namespace) -> None:
        """Have the service outside answer. Raises LabError."""
        folder.mkdir()
        command = outside.run(module("far_end"), ADDRESS, str(_PORT), str(folder))
        self.far_end = programs.start("far-end", command, told=True)
        self.far_end.wait_ready()

    def journeys(self, every: float, folder: Path) -> list[dict[str, Any]]:
        """Give what an agent at the desk walks besides, every so many seconds; ``folder`` is the far end's."""
        walked: list[dict[str, Any]] = []
        if self.printer is not None:
            to = {"printer": self.printer.uri, "printer_name": NAME}
            walked.append({"file": str(_HERE / "test-page.yaml"), "driver": "print", "variables": to})
        if self.far_end is not None:
            trusts = {"ca_file": str(folder / AUTHORITY)}
            place = {"place": f"{ADDRESS}:{_PORT}"}
            walked.append(
                {"file": str(_HERE / "national-link.yaml"), "driver": "link", "variables": place, "settings": trusts}
            )
        return [{**one, "every": every} for one in walked]

    def ladder(self, every: float, component: str) -> list[dict[str, Any]]:
        """Give what shows how far the way out is well: our own router is asked, by a port nobody listens on."""
        edge = {"station": "edge", "host": EDGE, "port": 9, "layer": "network_core"}
        return [{"sampler": "connect", "component": component, "settings": {"rungs": [edge]}, "every": every}]

    def close(self) -> None:
        """Take the printer away; the far end is one of the world's programs."""
        self._open.close()


def route(edge: Namespace) -> None:
    """Have the router of ours pass on what is not for itself. Raises LabError."""
    switch = "/proc/sys/net/ipv4/ip_forward"
    done = subprocess.run(
        edge.run(["sh", "-c", f"echo 1 > {switch}"]), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"the lab's router cannot pass packets on: {switch} cannot be written")


def cannot_print() -> str | None:
    """Say what this machine lacks for a desk that prints; None when it can."""
    problem = printer.missing()
    if problem is None and find_spec("pyipp") is None:
        problem = "the package pyipp is not installed: pip install 'whichlayer[print]'"
    return problem and f"the wired desk does not print: {problem}"
