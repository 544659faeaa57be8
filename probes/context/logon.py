"""When the person this agent works for logged on, on Linux: Windows is asked through its port.

The kernel gives every login session a number that all its processes keep (PAM sets it). The person's oldest
process with the agent's number began with the session. A service has no such number, so it knows no logon.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from probes.posix import is_ours, ticks_per_second

_NO_SESSION = "4294967295"  # -1: nobody logged on for this process
_START = 19  # of the fields after the name in /proc/PID/stat: starttime, in ticks since boot


def seconds_since_logon(root: Path = Path("/")) -> float | None:
    """Say how long this session lasts; None outside one, and where the kernel does not tell. Reads /proc only."""
    if sys.platform != "linux":
        return None
    processes = root / "proc"
    try:
        session = (processes / "self" / "sessionid").read_text(encoding="ascii").strip()
        uptime = float((processes / "uptime").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    if session == _NO_SESSION:
        return None
    starts = list(_starts(processes, session))
    return max(0.0, uptime - min(starts)) if starts else None


def _starts(processes: Path, session: str) -> Iterator[float]:
    """Give when this user's processes of a session began, in seconds since boot."""
    for folder in processes.iterdir():
        if not folder.name.isdigit():
            continue
        try:  # the sign-in program has the number too, and may have begun at a prompt hours before
            if not is_ours(folder.stat().st_uid):
                continue
            if (folder / "sessionid").read_text(encoding="ascii").strip() == session:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
                yield int(stat.rpartition(")")[2].split()[_START]) / ticks_per_second()
        except OSError:
            continue  # it has ended meanwhile
