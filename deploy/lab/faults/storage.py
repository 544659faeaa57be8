"""Slow storage: the volume under the database's write-ahead log takes long to flush."""

from collector.model.layer import Layer
from deploy.lab.fault import Stop
from deploy.lab.world import World


class _Storage:
    words = "slow storage under the database's log"
    truth = Layer.STORAGE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the volume."""
        return world.missing.get("volume")

    def start(self, world: World, strength: float) -> Stop:
        """Each flush waits 250 to 450 ms, each write 5 to 15 ms."""
        volume = world.volume
        assert volume is not None
        volume.tell({"flush": 250 + 200 * strength, "write": 5 + 10 * strength})
        return lambda: volume.tell({"flush": 0.0, "write": 0.0})


PLUGIN = _Storage()
