"""A hypervisor that gives the processor to others: stops all programs of one machine for a short time, again and again.

``python -m deploy.lab.loads.hypervisor PID …`` stops these processes and their children with SIGSTOP and lets them go
on with SIGCONT, each held by a descriptor of its own so that no other process can take its number's place. How long
they are stopped and run comes as JSON lines on standard input and nowhere else. However this ends, they go on: a
second process beside it sees it end, even when it is killed, and lets them.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress

import psutil

_LOOK = 2.0  # seconds between two looks for new children


class Machine:
    """The processes of one machine."""

    def __init__(self, roots: list[int], guard: int) -> None:
        self._roots = roots
        self._guard = guard  # the pipe to whom lets them go on when this is gone
        self._held: dict[int, int] = {}  # descriptors by process

    def look(self) -> None:
        """Find the processes that are there now."""
        present = {pid for root in self._roots for pid in _family(root)}
        found = dict(self._held)  # who has ended keeps its descriptor: they are few, and it reaches nobody else
        for pid in present - found.keys():
            with suppress(ProcessLookupError):
                found[pid] = os.pidfd_open(pid)
        os.write(self._guard, (" ".join(map(str, found)) + "\n").encode())
        self._held = found

    def watch(self) -> None:
        """Look again and again, beside the stopping: on a busy machine a look takes longer than a slice."""
        while True:
            time.sleep(_LOOK)
            self.look()

    def send(self, number: signal.Signals) -> None:
        """Stop all, or let all go on."""
        for descriptor in self._held.values():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)


class _Slices:
    stopped = running = 0.0  # seconds; stopped 0: never

    def obey(self) -> None:
        """Take settings until standard input closes: then the lab is gone."""
        for line in sys.stdin:
            told = json.loads(line)
            self.stopped, self.running = float(told["stopped"]), float(told["running"])
        signal.raise_signal(signal.SIGTERM)


def run(machine: Machine, slices: _Slices) -> None:
    """Stop and let go on, for ever."""
    machine.look()
    threading.Thread(target=machine.watch, daemon=True).start()
    try:
        while True:
            if slices.stopped:
                machine.send(signal.SIGSTOP)
                time.sleep(slices.stopped)
                machine.send(signal.SIGCONT)
            time.sleep(slices.running or 0.1)
    finally:
        machine.send(signal.SIGCONT)


def guard() -> int:
    """Start the process that lets everything go on when this one has ended; gives the pipe to it."""
    theirs, ours = os.pipe()
    if os.fork() == 0:
        os.close(ours)
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with os.fdopen(theirs) as told:
            lines = told.read().split("\n")
        for pid in lines[-2].split() if len(lines) > 1 else ():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGCONT)
        os._exit(0)
    os.close(theirs)
    return ours


def _family(root: int) -> list[int]:
    try:
        process = psutil.Process(root)
        return [root, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def main() -> None:
    """Take the processor away until SIGTERM or until standard input closes."""
    machine, slices = Machine([int(word) for word in sys.argv[1:]], guard()), _Slices()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=slices.obey, daemon=True).start()
    run(machine, slices)


if __name__ == "__main__":
    main()
