"""Trouble in the core: what every link leads to is far away all of a sudden, and loses packets."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World

_LINKS = ("wired", "wifi")


class _Wan:
    words = "delay and loss in the core, behind every access link"
    truth = Layer.NETWORK_CORE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the links."""
        return world.missing.get("links")

    def start(self, world: World, strength: float) -> Running:
        """Add 60 to 110 ms each way, and lose 0.5 to 1.5 % each way, on all access links alike."""

        def turn(strength: float) -> None:
            for name in _LINKS:
                world.links[name].tell({"beyond_delay": 60 + 50 * strength, "beyond_loss": 0.005 + 0.01 * strength})

        def stop() -> None:
            for name in _LINKS:
                world.links[name].tell({"beyond_delay": 0.0, "beyond_loss": 0.0})

        turn(strength)
        return Running(stop=stop, turn=turn)


PLUGIN = _Wan()
