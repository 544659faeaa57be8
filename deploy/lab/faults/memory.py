"""The application server short of memory: the application's working set is paged out again and again."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _Memory:
    words = "the application server short of memory: its working set is paged out"
    truth = Layer.APP_SERVER
    link = None

    def skipped_because(self, world: World) -> str | None:
        """Needs a disk under the working set."""
        return world.missing.get("paging")

    def start(self, world: World, strength: float) -> Running:
        """Page out every 150 down to 50 ms."""
        application = world.application
        assert application is not None

        def turn(strength: float) -> None:
            application.tell({"every": 0.15 - 0.1 * strength})

        turn(strength)
        return Running(stop=lambda: application.tell({"every": None}), turn=turn)


PLUGIN = _Memory()
