"""A processor that an endpoint shares with programs that are never done, and of which it gets little.

``python -m deploy.lab.loads.crowd PROCESSOR COUNT`` runs so many there until its standard input closes.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.lab.fault import Running
from deploy.lab.program import Program, module
from deploy.lab.world import World

_PR_SET_PDEATHSIG = 1
_RIVALS = 2
_GROUPED = Path("/proc/sys/kernel/sched_autogroup_enabled")


def cannot_crowd_out() -> str | None:
    """Say why this user cannot give programs a small share of a processor and take that back; None when it can."""
    groups = _GROUPED.exists() and _GROUPED.read_text().strip() == "1"
    return (
        None if groups or os.geteuid() == 0 else "only root can take a nice value back where sessions are not grouped"
    )


def crowd_out(world: World, endpoint: str, strength: float) -> Running:
    """Put an endpoint's programs, with all they have started, on one processor beside two that are never done.

    Of it they get the share of nice 10, at full strength that of nice 16: a twentieth to an eightieth. All
    others of the machine keep its other processors, and half of this one.
    """
    processor, victims = max(os.sched_getaffinity(0)), world.agents.get(endpoint, ())
    before = {thread: os.sched_getaffinity(thread) for victim in victims for thread in _threads(victim)}
    crowd = world.programs.start(f"crowd-{endpoint}", [*module("loads.crowd"), str(processor), str(_RIVALS)], told=True)
    crowd.wait_ready()

    def turn(strength: float) -> None:
        for thread in _now(victims):
            _pin(thread, {processor})
            _be_nice(thread, 10 + round(6 * strength))

    def stop() -> None:
        world.programs.stop(crowd)
        usual = os.sched_getaffinity(0)
        for thread in _now(victims):  # those started meanwhile stand where their parents stood
            _pin(thread, before.get(thread, usual))
            _be_nice(thread, os.getpriority(os.PRIO_PROCESS, 0))

    turn(strength)
    return Running(stop=stop, turn=turn)


def _now(victims: Sequence[Program]) -> list[int]:
    return [thread for victim in victims for thread in _threads(victim)]


def _be_nice(thread: int, nice: int) -> None:
    """Set the nice value of a thread, and of the session it is in where the scheduler groups by sessions."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended; or this user may not go back
        if os.geteuid() == 0:
            os.setpriority(os.PRIO_PROCESS, thread, nice)
    for _ in range(10):
        try:
            Path(f"/proc/{thread}/autogroup").write_text(str(max(nice, 0)), encoding="ascii")
        except BlockingIOError:
            time.sleep(0.1)  # the kernel takes so many a second from an ordinary user
        except OSError:
            return  # it has ended, or nothing is grouped here
        else:
            return


def _threads(program: Program) -> list[int]:
    try:
        first = psutil.Process(program.process.pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    found = []
    for process in family:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
    return found


def _pin(thread: int, processors: set[int]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended
        os.sched_setaffinity(thread, processors)


def _rival(processor: int) -> int:
    """Start one that is never done; give its id. In a session of its own it counts as one for schedulers that group."""
    child = os.fork()
    if child:
        return child
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    os.sched_setaffinity(0, {processor})
    while True:
        pass


def main() -> None:
    """Keep them until standard input closes."""
    rivals = [_rival(int(sys.argv[1])) for _ in range(int(sys.argv[2]))]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    for rival in rivals:
        os.kill(rival, signal.SIGKILL)
        os.waitpid(rival, 0)


if __name__ == "__main__":
    main()
