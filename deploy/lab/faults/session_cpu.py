"""A remote-session host short of processor: everything in the session waits its turn behind others."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab import session
from deploy.lab.fault import Running
from deploy.lab.loads.crowd import cannot_crowd_out, crowd_out
from deploy.lab.world import World

_ENDPOINT = "session-1"


class _SessionCpu:
    words = "the remote-session host is short of processor: others there are never done"
    truth = Layer.REMOTE_SESSION
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs the session, and the right to share a processor out."""
        return session.missing() or cannot_crowd_out()

    def start(self, world: World, strength: float) -> Running:
        """It gets a twentieth to an eightieth of a processor, beside two programs that are never done."""
        return crowd_out(world, _ENDPOINT, strength)


PLUGIN = _SessionCpu()
