"""A slow printer: it takes every job at once, and takes long to bring it to paper."""

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.beyond import USUAL
from deploy.lab.fault import Running
from deploy.lab.printer import Manner
from deploy.lab.world import World


class _Printer:
    words = "the printer beside the wired desk takes long over every job"
    truth = Layer.PRINTING
    link = Link.WIRED

    def skipped_because(self, world: World) -> str | None:
        """Needs the printer."""
        return world.missing.get("printer")

    def start(self, world: World, strength: float) -> Running:
        """Each job takes 1.8 to 3 s instead of one."""
        printer = world.beyond.printer
        assert printer is not None

        def turn(strength: float) -> None:
            printer.behave(Manner(seconds=1.8 + 1.2 * strength))

        turn(strength)
        return Running(stop=lambda: printer.behave(USUAL), turn=turn)


PLUGIN = _Printer()
