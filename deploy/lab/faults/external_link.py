"""A slow far end: the service outside takes the connection as quickly as ever, and thinks long."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _ExternalLink:
    words = "the service at the far end of the external link answers late"
    truth = Layer.EXTERNAL_LINK
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """It thinks 0.5 to 1.5 s."""
        far_end = world.beyond.far_end
        assert far_end is not None

        def turn(strength: float) -> None:
            far_end.tell({"seconds": 0.5 + strength})

        turn(strength)
        return Running(stop=lambda: far_end.tell({"seconds": 0.0}), turn=turn)


PLUGIN = _ExternalLink()
