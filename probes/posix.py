"""What only POSIX systems have: the one module of the agent that may name it.

On Windows each function gives the answer that makes its caller do without. An architecture test keeps
``fcntl``, ``os.geteuid`` and their like out of every other module the agent loads.
"""

import contextlib
import errno
import mmap
import os
import signal
import sys
import time

# Never follow a link, never hand a file to a child; on Windows, never turn \n into \r\n in a block of bytes.
PRIVATE_FILE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def is_ours(owner: int) -> bool:
    """Say whether the file owner ``owner`` (``st_uid``) is the user of this process; files of Windows say 0."""
    if sys.platform == "win32":
        return True
    return owner == os.geteuid()


def is_root() -> bool:
    """Say whether this process may do everything; nobody is that on Windows."""
    return sys.platform != "win32" and os.geteuid() == 0


def ticks_per_second() -> int:
    """Give the unit of times in ``/proc``; 1 where there is no such folder."""
    if sys.platform != "linux":
        return 1
    return os.sysconf("SC_CLK_TCK")


def read_direct(path: str, length: int) -> float | None:
    """Time one read of ``length`` bytes (a multiple of 4096) past every copy in memory, in seconds.

    None where the system or the file system has no such read. Raises OSError when the file cannot be read.
    """
    if sys.platform != "linux":
        return None
    with mmap.mmap(-1, length) as aligned:
        try:
            file = os.open(path, os.O_RDONLY | os.O_DIRECT | PRIVATE_FILE)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise
        try:
            started = time.perf_counter()
            os.preadv(file, [aligned], 0)
            return time.perf_counter() - started
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise
        finally:
            os.close(file)


def watch_end(process: int) -> int:
    """Give a descriptor that becomes readable when a process of ours ends. Raises OSError where there is none."""
    if sys.platform != "linux":
        raise OSError("this system has no descriptors of processes")
    return os.pidfd_open(process)


def end_group(leader: int, *, gently: bool) -> None:
    """Ask a process and everything it started to end, or make them; none of them need be there any more."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGTERM if gently else signal.SIGKILL)
