"""Competition for a processor: programs that are never done, all on one processor, beside those that are to suffer.

``python -m deploy.lab.crowd PROCESSOR`` is told on standard input how many there are to be, as ``{"count": 20}``.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from deploy.lab.fault import Running
from deploy.lab.program import Program, module
from deploy.lab.world import World

_PR_SET_PDEATHSIG = 1


def crowd_out(world: World, endpoint: str, count: Callable[[float], int], strength: float) -> Running:
    """Put an endpoint's programs, with all they have started, on one processor with ``count`` that are never done.

    All others of the machine keep its other processors.
    """
    processor, victims = max(os.sched_getaffinity(0)), world.agents.get(endpoint, ())
    before = {thread: os.sched_getaffinity(thread) for victim in victims for thread in _threads(victim)}
    crowd = world.programs.start(f"crowd-{endpoint}", [*module("crowd"), str(processor)], told=True)
    crowd.wait_ready()
    for thread in before:
        _pin(thread, {processor})

    def turn(strength: float) -> None:
        crowd.tell({"count": count(strength)})

    def stop() -> None:
        world.programs.stop(crowd)
        usual = os.sched_getaffinity(0)
        # Those started meanwhile stand where their parents stood.
        for thread in {*before, *(one for victim in victims for one in _threads(victim))}:
            _pin(thread, before.get(thread, usual))

    turn(strength)
    return Running(stop=stop, turn=turn)


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
    """Keep as many as told until standard input closes."""
    processor = int(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to be waited for
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    rivals: list[int] = []
    try:
        for line in sys.stdin:
            wanted = int(json.loads(line)["count"])
            while len(rivals) < wanted:
                rivals.append(_rival(processor))
            while len(rivals) > wanted:
                os.kill(rivals.pop(), signal.SIGKILL)
    finally:
        for rival in rivals:
            os.kill(rival, signal.SIGKILL)


if __name__ == "__main__":
    main()
