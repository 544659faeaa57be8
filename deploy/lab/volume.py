"""A directory on a slow volume: a FUSE file system that hands everything to another directory, later.

Writes and flushes wait as long as the lab says, queue for the bandwidth that all its users share, and wait out the
times in which it stands still; the rest passes through. Settings come as JSON
lines on standard input and nowhere else, so that nothing on the machine can read what the lab does.

``python -m deploy.lab.volume BEHIND MOUNTPOINT``
"""

import errno
import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mfusepy

_STAT = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_blocks", "st_ino")
_STATFS = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_namemax")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """How long the volume takes beyond the disk under it: milliseconds per write and per flush.

    ``spread`` is the sigma of a lognormal factor on each wait, as real volumes vary. ``bandwidth`` is what all writers
    share, bytes per second (0: as much as the disk has). Of every ``stall_every`` seconds it stands still for
    ``stall`` (0: never).
    """

    write: float = 0.0
    flush: float = 0.0
    spread: float = 0.2
    bandwidth: float = 0.0
    stall: float = 0.0
    stall_every: float = 12.0


class Volume(mfusepy.Operations):  # type: ignore[misc]  # mfusepy has no types
    """Passes every call to the directory behind, after its wait."""

    use_ns = True

    def __init__(self, behind: Path) -> None:
        self._behind = behind
        self._draw = random.Random()
        self.slowness = Slowness()
        self._moves = threading.Event()  # clear while it stands still
        self._moves.set()
        self._turns = threading.Lock()
        self._free = 0.0  # when what was asked for so far is done, by the monotonic clock

    def stall(self) -> None:
        """Stand still now and then, for ever."""
        while True:
            still, every = self.slowness.stall, self.slowness.stall_every
            if not still:
                time.sleep(0.1)
                continue
            self._moves.clear()
            time.sleep(still)
            self._moves.set()
            time.sleep((every - still) * self._draw.uniform(0.8, 1.2))

    def _wait(self, milliseconds: float) -> None:
        self._moves.wait()
        if milliseconds:
            time.sleep(milliseconds / 1e3 * self._draw.lognormvariate(0.0, self.slowness.spread))

    def _queue(self, size: int) -> None:
        """Wait until all that was asked for earlier is done, and this too: one queue for all who use the volume."""
        if not self.slowness.bandwidth:
            return
        with self._turns:
            now = time.monotonic()
            done = self._free = max(self._free, now) + size / self.slowness.bandwidth
        time.sleep(max(0.0, done - now))

    def _at(self, path: str) -> Path:
        return self._behind / path.lstrip("/")

    def init(self, path: str) -> None:  # noqa: ARG002
        """Tell the lab that the mount is there."""
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Give size, mode, owner and times."""
        found = os.fstat(fh) if fh is not None else self._at(path).lstat()
        times = {"st_atime": found.st_atime_ns, "st_mtime": found.st_mtime_ns, "st_ctime": found.st_ctime_ns}
        return {name: getattr(found, name) for name in _STAT} | times

    def statfs(self, path: str) -> dict[str, int]:
        """Give the room on the disk behind."""
        found = os.statvfs(self._at(path))
        return {name: getattr(found, name) for name in _STATFS}

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        """List a directory."""
        return [".", "..", *os.listdir(self._at(path))]  # noqa: PTH208

    def mkdir(self, path: str, mode: int) -> int:
        """Make a directory."""
        self._at(path).mkdir(mode)
        return 0

    def rmdir(self, path: str) -> int:
        """Remove a directory."""
        self._at(path).rmdir()
        return 0

    def unlink(self, path: str) -> int:
        """Remove a file."""
        self._at(path).unlink()
        return 0

    def rename(self, old: str, new: str) -> int:
        """Rename."""
        self._at(old).rename(self._at(new))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        """Change the mode."""
        self._at(path).chmod(mode)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Change the times."""
        os.utime(self._at(path), ns=times or (time.time_ns(), time.time_ns()))
        return 0

    def create(self, path: str, mode: int, _info: object = None) -> int:
        """Create and open a file."""
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)

    def open(self, path: str, flags: int) -> int:
        """Open a file; flags about the kernel's cache belong to the kernel, not behind."""
        return os.open(self._at(path), flags & ~(os.O_DIRECT | os.O_SYNC | os.O_DSYNC | os.O_APPEND))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        """Read."""
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        """Write, after the wait."""
        self._wait(self.slowness.write)
        self._queue(len(data))
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Cut."""
        os.truncate(fh if fh is not None else self._at(path), length)
        return 0

    def fsync(self, path: str, _datasync: int, fh: int) -> int:  # noqa: ARG002
        """Flush to the disk behind, after the wait."""
        self._wait(self.slowness.flush)
        self._queue(0)
        os.fdatasync(fh)
        return 0

    def fsyncdir(self, path: str, _datasync: int, fh: int) -> int:  # noqa: ARG002
        """Flush a directory: the disk behind keeps names by itself."""
        return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fh: int) -> int:  # noqa: ARG002
        """Reserve room."""
        if mode:
            raise mfusepy.FuseOSError(errno.EOPNOTSUPP)
        os.posix_fallocate(fh, offset, size)
        return 0

    def flush(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Nothing is held back at close."""
        return 0

    def release(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Close."""
        os.close(fh)
        return 0


def _obey(volume: Volume) -> None:
    for line in sys.stdin:
        volume.slowness = replace(volume.slowness, **json.loads(line))
    os.kill(os.getpid(), signal.SIGTERM)  # the lab is gone: unmount


def main() -> None:
    """Mount and serve until SIGTERM or until standard input closes."""
    volume = Volume(Path(sys.argv[1]))
    threading.Thread(target=_obey, args=(volume,), daemon=True).start()
    threading.Thread(target=volume.stall, daemon=True).start()
    mfusepy.FUSE(volume, sys.argv[2], foreground=True, fsname="lab-volume")


if __name__ == "__main__":
    main()
