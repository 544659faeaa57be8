"""A remote-session host short of processor: everything in the session waits its turn behind others."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab import session
from deploy.lab.crowd import crowd_out
from deploy.lab.fault import Running
from deploy.lab.world import World

_ENDPOINT = "session-1"


class _SessionCpu:
    words = "the remote-session host is short of processor: others there are never done"
    truth = Layer.REMOTE_SESSION
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs the session."""
        return session.missing()

    def start(self, world: World, strength: float) -> Running:
        """20 to 60 busy programs on the session's one processor; the other processors are free of them."""
        return crowd_out(world, _ENDPOINT, lambda strength: 20 + int(40 * strength), strength)


PLUGIN = _SessionCpu()
