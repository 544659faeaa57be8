"""A busy endpoint: on the probe's own machine others are never done, and the probe waits its turn."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.crowd import crowd_out
from deploy.lab.fault import Running
from deploy.lab.world import World

_ENDPOINT = "wifi-1"


class _EndpointCpu:
    words = "the wifi endpoint itself is busy: the probe there waits for a processor"
    truth = Layer.ENDPOINT
    link = Link.WIFI

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """20 to 60 busy programs on the endpoint's one processor; the other processors are free of them."""
        return crowd_out(world, _ENDPOINT, lambda strength: 20 + int(40 * strength), strength)


PLUGIN = _EndpointCpu()
