"""A firewall at the far side: what is sent to the service outside is dropped, and nobody says so."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import World


class _LinkFiltered:
    words = "everything sent to the far end of the external link is dropped, beyond our own edge"
    truth = Layer.EXTERNAL_LINK
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:
        """Needs the link."""
        return world.missing.get("links")

    def start(self, world: World, strength: float) -> Running:
        """Drop half of the packets, at 0.5 and above all of them."""
        link = world.links["outside"]

        def turn(strength: float) -> None:
            dropped = min(1.0, 0.5 + strength)
            link.tell({"loss": dropped, "bad_loss": dropped})

        turn(strength)
        return Running(stop=lambda: link.tell({"loss": 0.0, "bad_loss": 0.0}), turn=turn)


PLUGIN = _LinkFiltered()
