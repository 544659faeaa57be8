"""The picture comes late: on the way to the remote session its own protocol waits, and nothing else does."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab import screen, session
from deploy.lab.fault import Running
from deploy.lab.world import World


class _DisplayLink:
    words = "the remote session's picture and keys are late, all else on the same cable is not"
    truth = Layer.REMOTE_SESSION
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:
        """Needs the link, and somebody in front of the session."""
        return world.missing.get("links") or screen.missing()

    def start(self, world: World, strength: float) -> Running:
        """Packets of the display protocol take 50 to 140 ms longer each way."""
        link = world.links["wired"]

        def turn(strength: float) -> None:
            link.tell({"late_port": session.PORT, "late": 50 + 90 * strength})

        turn(strength)
        return Running(stop=lambda: link.tell({"late_port": 0, "late": 0.0}), turn=turn)


PLUGIN = _DisplayLink()
