"""Lock contention: a job on the same database holds a lock that everybody who saves a note has to wait for."""

from collector.model.layer import Layer
from deploy.lab import postgres
from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World


class _Locks:
    words = "a job holds a lock on the notes, again and again"
    truth = Layer.DATABASE
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """Two workers hold it in turn, for 0.3 to 0.6 s each: who saves waits for one to two of them."""
        command = world.server().run(module("loads.lock_holder"), postgres.conninfo(world.sockets))
        holder = world.programs.start("lock-holder", command, told=True)
        holder.wait_ready()

        def turn(strength: float) -> None:
            holder.tell({"hold": 0.3 + 0.3 * strength})

        turn(strength)
        return Running(stop=lambda: world.programs.stop(holder), turn=turn)


PLUGIN = _Locks()
