"""Storage stalls: the volume under the database's log is quick, but stands still for seconds now and then."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _StorageStalls:
    words = "the storage under the database's log stands still for seconds, now and then"
    truth = Layer.STORAGE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the volume."""
        return world.missing.get("volume")

    def start(self, world: World, strength: float) -> Running:
        """Stand still for 3 to 4 s in every 12 to 10 s; between, as quick as ever."""
        volume = world.volume
        assert volume is not None

        def turn(strength: float) -> None:
            volume.tell({"stall": 3.0 + strength, "stall_every": 12.0 - 2.0 * strength})

        turn(strength)
        return Running(stop=lambda: volume.tell({"stall": 0.0}), turn=turn)


PLUGIN = _StorageStalls()
