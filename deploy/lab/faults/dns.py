"""Slow name resolution: the name server knows the application as ever, and answers late."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _Dns:
    words = "the name server answers late, and sometimes not at all"
    truth = Layer.NETWORK_CORE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the name server."""
        return world.missing.get("names")

    def start(self, world: World, strength: float) -> Running:
        """Each answer comes 0.5 to 1.5 s late, up to 3 % of them never: then the endpoint asks again after 2 s."""
        names = world.names
        assert names is not None

        def turn(strength: float) -> None:
            names.tell({"seconds": 0.5 + 0.7 * strength, "lost": 0.03 * strength})

        turn(strength)
        return Running(stop=lambda: names.tell({"seconds": 0.0, "lost": 0.0}), turn=turn)


PLUGIN = _Dns()
