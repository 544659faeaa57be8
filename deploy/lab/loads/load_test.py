"""The test environment's load test, as a volume sees it: many writers, each with its own file, flushing as they go.

How many write at once comes as JSON lines on standard input and nowhere else.
``python -m deploy.lab.loads.load_test DIRECTORY``
"""

import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

_CHUNK = 64 * 1024
_CHUNKS = 16  # of a file, which is then written from its beginning again


class _Load:
    """Writers number 0 up to ``writers`` - 1 write, the others rest."""

    writers = 0

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started = 0
        self._changed = threading.Condition()

    def turn(self, writers: int) -> None:
        """Have so many write from now on."""
        with self._changed:
            self.writers = writers
            self._changed.notify_all()
        for number in range(self._started, writers):
            threading.Thread(target=self._write, args=(number,), daemon=True).start()
        self._started = max(self._started, writers)

    def _write(self, number: int) -> None:
        file = os.open(self._directory / f"load-{number}", os.O_CREAT | os.O_WRONLY)
        block, place = os.urandom(_CHUNK), 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: number < self.writers)
            os.pwrite(file, block, place % _CHUNKS * _CHUNK)
            os.fsync(file)
            place += 1


def main() -> None:
    """Write until SIGTERM or until standard input closes; its files go with it."""
    directory = Path(sys.argv[1])
    directory.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    load = _Load(directory)
    try:
        for line in sys.stdin:
            load.turn(int(json.loads(line)["writers"]))
    finally:
        load.turn(0)
        shutil.rmtree(directory, ignore_errors=True)
        os._exit(0)  # writers may hang in the volume's queue


if __name__ == "__main__":
    main()
