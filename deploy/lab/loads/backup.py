"""A busy neighbour that does no harm: holds memory, touches it, and writes files, gently.

``python -m deploy.lab.loads.backup MEBIBYTES MEBIBYTES_PER_SECOND DIRECTORY``
"""

import os
import sys
import time
from pathlib import Path

_MEBIBYTE = 1 << 20
_FILES = 8


def main() -> None:
    """Write until ended; the files take each other's place, so that the disk does not fill."""
    mebibytes, rate, directory = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    os.nice(15)
    directory.mkdir(exist_ok=True)
    held: list[bytearray] = []
    number = 0
    while True:
        began = time.monotonic()
        if len(held) < mebibytes:
            held += [bytearray(os.urandom(4096) * 256) for _ in range(min(20, mebibytes - len(held)))]
        block = held[number % len(held)]
        with (directory / f"backup-{number % _FILES}").open("wb") as file:
            for _ in range(max(1, round(rate))):
                file.write(block)
        number += 1
        time.sleep(max(0.1, 1.0 - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
