"""A slow directory: whoever signs in waits for it; who is signed in does not need it."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _Identity:
    words = "the directory that casebook asks at each log-on answers late"
    truth = Layer.IDENTITY
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """It thinks 0.4 to 1.2 s."""
        directory = world.directory_service
        assert directory is not None

        def turn(strength: float) -> None:
            directory.tell({"seconds": 0.4 + 0.8 * strength})

        turn(strength)
        return Running(stop=lambda: directory.tell({"seconds": 0.0}), turn=turn)


PLUGIN = _Identity()
