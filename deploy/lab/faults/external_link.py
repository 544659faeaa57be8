"""A slow far end: the service outside takes the connection as quickly as ever, and thinks long."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Stop
from deploy.lab.world import World


class _ExternalLink:
    words = "the service at the far end of the external link answers late"
    truth = Layer.EXTERNAL_LINK
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Stop:
        """It thinks 0.5 to 1.5 s."""
        far_end = world.beyond.far_end
        assert far_end is not None
        far_end.tell({"seconds": 0.5 + strength})
        return lambda: far_end.tell({"seconds": 0.0})


PLUGIN = _ExternalLink()
