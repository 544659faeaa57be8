"""Slow storage: the volume under the database's write-ahead log takes long to flush."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _Storage:
    words = "slow storage under the database's log"
    truth = Layer.STORAGE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the volume."""
        return world.missing.get("volume")

    def start(self, world: World, strength: float) -> Running:
        """Each flush waits 250 to 450 ms, each write 5 to 15 ms."""
        volume = world.volume
        assert volume is not None

        def turn(strength: float) -> None:
            volume.tell({"flush": 250 + 200 * strength, "write": 5 + 10 * strength})

        turn(strength)
        return Running(stop=lambda: volume.tell({"flush": 0.0, "write": 0.0}), turn=turn)


PLUGIN = _Storage()
