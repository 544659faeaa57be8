"""A busy endpoint: on the probe's own machine others are never done, and the probe waits its turn."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.loads.crowd import cannot_crowd_out, crowd_out
from deploy.lab.world import World

_ENDPOINT = "wifi-1"


class _EndpointCpu:
    words = "the wifi endpoint itself is busy: the probe there waits for a processor"
    truth = Layer.ENDPOINT
    link = Link.WIFI

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs the right to share a processor out."""
        return cannot_crowd_out()

    def start(self, world: World, strength: float) -> Running:
        """It gets a twentieth to an eightieth of a processor, beside two programs that are never done."""
        return crowd_out(world, _ENDPOINT, strength)


PLUGIN = _EndpointCpu()
