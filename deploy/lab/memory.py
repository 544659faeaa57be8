"""Runs the application and takes its memory away when told, as a machine short of memory does.

The kernel lets only a process itself (or a privileged one) give its pages back, so this starts the
application inside its own process and, beside it, a thread that asks the kernel to page out the
application's file-backed memory (MADV_PAGEOUT). The page faults that follow are real ones. The
application is unchanged and knows nothing of it. Settings come as JSON lines on standard input
and nowhere else.

``python -m deploy.lab.memory FILE MODULE [ARGUMENTS …]`` runs ``MODULE`` as ``python -m`` would.
"""

import ctypes
import json
import re
import runpy
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

_MADV_PAGEOUT = 21
_MAPS = Path("/proc/self/maps")


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where a file is mapped in this process."""

    start: int
    length: int


def mappings(file: Path) -> list[Mapping]:
    """Find the places where ``file`` is mapped."""
    found = []
    for line in _MAPS.read_text().splitlines():
        if line.endswith(str(file)):
            start, end = (int(part, 16) for part in re.split(r"[- ]", line, maxsplit=2)[:2])
            found.append(Mapping(start, end - start))
    return found


def page_out(mapping: Mapping) -> None:
    """Ask the kernel to take the pages away now. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.madvise(ctypes.c_void_p(mapping.start), ctypes.c_size_t(mapping.length), _MADV_PAGEOUT) != 0:
        raise OSError(ctypes.get_errno(), "madvise")


class Pressure:
    """Pages ``file`` out every ``interval`` seconds while there is an interval."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._interval: float | None = None
        self._changed = threading.Event()

    def run(self) -> None:
        """Squeeze for ever."""
        while True:
            if self._interval is not None:
                for mapping in mappings(self._file):
                    page_out(mapping)
            self._changed.wait(self._interval)
            self._changed.clear()

    def obey(self) -> None:
        """Read intervals from standard input; its end ends the application."""
        for line in sys.stdin:
            self._interval = json.loads(line)["every"]
            self._changed.set()
        signal.raise_signal(signal.SIGTERM)


def main() -> None:
    """Start both threads and become the application."""
    pressure = Pressure(Path(sys.argv[1]))
    threading.Thread(target=pressure.run, daemon=True).start()
    threading.Thread(target=pressure.obey, daemon=True).start()
    module = sys.argv[2]
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
