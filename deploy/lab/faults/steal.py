"""Steal: the server's virtual machine is not run for most of the time, as on a hypervisor that promised too much."""

import sys

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World


class _Steal:
    words = "the hypervisor runs the server's machine only a part of the time"
    truth = Layer.VIRTUALISATION
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs processes that can be held by a descriptor, which only Linux has."""
        return None if sys.platform == "linux" else "processes can be stopped safely on Linux only"

    def start(self, world: World, strength: float) -> Running:
        """Stop all that runs on the server for 150 to 300 ms, let it run for 50 ms, again and again."""
        # Of what runs in the server's namespace, storage and network lie outside its machine.
        inside = (world.application, world.database, *world.agents.get("server-1", ()))
        pids = [str(one.process.pid) for one in inside if one is not None and one.process.poll() is None]
        follow = ["setpriv", "--pdeathsig", "TERM", "--"]
        hypervisor = world.programs.start("hypervisor", [*follow, *module("loads.hypervisor"), *pids], told=True)

        def turn(strength: float) -> None:
            hypervisor.tell({"stopped": 0.15 + 0.15 * strength, "running": 0.05})

        turn(strength)
        return Running(stop=lambda: world.programs.stop(hypervisor), turn=turn)


PLUGIN = _Steal()
