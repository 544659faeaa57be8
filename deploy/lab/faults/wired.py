"""Congestion: the cable carries less, and somebody else's download fills the queue in front of it."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World

_ADDRESS = "10.77.1.1:9"  # the near end of the wired link


class _Wired:
    words = "congestion on the wired link: a download fills its queue"
    truth = Layer.ACCESS_NETWORK
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:
        """Needs the link."""
        return world.missing.get("links")

    def start(self, world: World, strength: float) -> Running:
        """Rate 5 down to 3 Mbit/s, a queue of 300 to 450 ms, and a real bulk transfer through it."""
        link = world.links["wired"]

        def turn(strength: float) -> None:
            link.tell({"rate": 5000 - 2000 * strength, "queue": 300 + 150 * strength})

        turn(strength)
        sender = world.programs.start("bulk-sender", world.server().run(module("loads.traffic"), "send", _ADDRESS))
        wired = world.namespaces["wired"]
        receiver = world.programs.start("bulk-receiver", wired.run(module("loads.traffic"), "receive", _ADDRESS))

        def stop() -> None:
            world.programs.stop(receiver)
            world.programs.stop(sender)
            link.tell({"rate": 0.0})

        return Running(stop=stop, turn=turn)


PLUGIN = _Wired()
