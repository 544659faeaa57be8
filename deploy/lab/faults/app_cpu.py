"""The application server short of processor: other programs compute on the one that the application runs on."""

import os
from pathlib import Path

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World


class _AppCpu:
    words = "other programs compute on the application's processor"
    truth = Layer.APP_SERVER
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs a processor besides, or everything else would starve too."""
        return None if len(os.sched_getaffinity(0)) > 1 else "there is only one processor"

    def start(self, world: World, strength: float) -> Running:
        """Give the application one processor, and 6 to 12 others that compute all the time the same one."""
        assert world.application is not None
        pid, every = world.application.process.pid, os.sched_getaffinity(0)
        _bind(pid, {max(every)})
        competitor = world.programs.start(
            "competitor", world.server().run(module("loads.competitor"), str(max(every))), told=True
        )

        def turn(strength: float) -> None:
            competitor.tell({"programs": round(6 + 6 * strength)})

        def stop() -> None:
            world.programs.stop(competitor)
            _bind(pid, every)

        turn(strength)
        return Running(stop=stop, turn=turn)


PLUGIN = _AppCpu()


def _bind(pid: int, processors: set[int]) -> None:
    """Have all threads of a process run there; those it starts later follow who starts them."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors)
