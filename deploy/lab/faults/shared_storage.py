"""The test environment's load test on the volume that production's log lies on: production waits behind its writes."""

import shutil

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World


class _SharedStorage:
    words = "a load test of the test environment on the storage it shares with the live one"
    truth = Layer.STORAGE
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs the volume."""
        return world.missing.get("volume")

    def start(self, world: World, strength: float) -> Running:
        """Have 24 to 48 files written at once, 64 KiB and a flush at a time."""
        where = str(world.volume_path / "scratch" / "test-environment")
        load = world.programs.start("load-test", world.server().run(module("loads.load_test"), where), told=True)

        def turn(strength: float) -> None:
            load.tell({"writers": int(24 + 24 * strength)})

        def stop() -> None:
            world.programs.stop(load)
            # A volume hides what was open when it was removed: from behind all of it goes.
            shutil.rmtree(world.directory / "disk" / "scratch" / "test-environment", ignore_errors=True)

        turn(strength)
        return Running(stop=stop, turn=turn)


PLUGIN = _SharedStorage()
