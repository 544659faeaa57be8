"""Somebody else's computing on the same server: programs that keep one processor busy, as many as told.

``python -m deploy.lab.loads.competitor PROCESSOR``; how many comes as JSON lines on standard input and nowhere else.
"""

import json
import os
import signal
import subprocess
import sys

_BUSY = "import itertools\nfor _ in itertools.count(): pass"


class _Competitors:
    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def turn(self, count: int) -> None:
        """Have so many compute from now on."""
        while len(self._running) < count:
            command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-I", "-S", "-c", _BUSY]
            # A session each: a scheduler that groups by sessions would give all of them the share of one.
            self._running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))
        while len(self._running) > count:
            one = self._running.pop()
            one.kill()
            one.wait()


def main() -> None:
    """Compute until SIGTERM or until standard input closes."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    competitors = _Competitors()
    try:
        for line in sys.stdin:
            competitors.turn(int(json.loads(line)["programs"]))
    finally:
        competitors.turn(0)


if __name__ == "__main__":
    main()
