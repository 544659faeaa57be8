"""Which snapshots must stay readable: one number per line in a file, durable before ``add`` returns."""

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from collector.model.errors import StoreError


class Pins:
    """The pinned snapshots of one store."""

    def __init__(self, path: Path) -> None:
        """Read ``path``; a line cut short by a crash was never answered and is ignored."""
        self._path = path
        self._lock = threading.Lock()
        lines = path.read_text(encoding="ascii").split("\n")[:-1] if path.exists() else []
        self._pinned = {int(line) for line in lines}

    def __contains__(self, snapshot: int) -> bool:
        return snapshot in self._pinned

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._pinned))

    def add(self, snapshot: int) -> None:
        """Pin one more. Raises StoreError when the disk fails."""
        with self._lock:
            if snapshot not in self._pinned:
                self._write(self._pinned | {snapshot})

    def remove(self, snapshots: Iterable[int]) -> None:
        """Pin these no longer. Raises StoreError when the disk fails."""
        with self._lock:
            gone = self._pinned & set(snapshots)
            if gone:
                self._write(self._pinned - gone)

    def _write(self, pinned: set[int]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.writelines(f"{number}\n" for number in sorted(pinned))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise StoreError(f"the pins of snapshots could not be kept: {error.strerror}") from error
        self._pinned = pinned
