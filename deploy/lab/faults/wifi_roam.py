"""Roaming: a client that cannot decide between two access points stands still at every change."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _WifiRoam:
    words = "the wifi client roams again and again, and the link stands still each time"
    truth = Layer.ACCESS_NETWORK
    link = Link.WIFI

    def skipped_because(self, world: World) -> str | None:
        """Needs the link."""
        return world.missing.get("links")

    def start(self, world: World, strength: float) -> Running:
        """Every 1.6 to 3 s it stands still for 0.6 to 2.6 s; of what is sent meanwhile a tenth is lost."""
        link = world.links["wifi"]

        def turn(strength: float) -> None:
            link.tell({"stall": 1.2 + 0.5 * strength, "stall_gap": 0.8, "stall_loss": 0.1})

        turn(strength)
        return Running(stop=lambda: link.tell({"stall": 0.0, "stall_loss": 0.0}), turn=turn)


PLUGIN = _WifiRoam()
