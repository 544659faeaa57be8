"""Radio trouble: packets arrive late, and are lost in bursts."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import GOOD, World


class _Wifi:
    words = "loss and delay on the wifi link"
    truth = Layer.ACCESS_NETWORK
    link = Link.WIFI

    def skipped_because(self, world: World) -> str | None:
        """Needs the link."""
        return world.missing.get("links")

    def start(self, world: World, strength: float) -> Running:
        """Delay 70 to 120 ms each way with half as much jitter; 2 to 5 % of packets lost."""
        link = world.links["wifi"]

        def turn(strength: float) -> None:
            bad = {"delay": 70 + 50 * strength, "jitter": 20 + 15 * strength}
            link.tell(bad | {"loss": 0.005, "bad_loss": 0.5, "to_bad": 0.01 + 0.015 * strength})

        def stop() -> None:
            link.tell({"jitter": 0.0, **GOOD["wifi"], "loss": 0.0, "bad_loss": 0.0, "to_bad": 0.0})

        turn(strength)
        return Running(stop=stop, turn=turn)


PLUGIN = _Wifi()
