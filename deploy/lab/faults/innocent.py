"""Memory and disk activity rise, and no journey is slower: nobody must be blamed."""

from deploy.lab.fault import Running
from deploy.lab.program import module
from deploy.lab.world import World


class _Innocent:
    words = "memory and disk activity rise, journeys do not slow"
    truth = None
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """A program takes 200 to 400 MiB and writes 4 to 8 MiB a second."""
        amounts = (str(int(200 + 200 * strength)), str(4 + 4 * strength), str(world.directory / "elsewhere"))
        program = world.programs.start("backup", world.server().run(module("loads.backup"), *amounts))
        return Running(stop=lambda: world.programs.stop(program))


PLUGIN = _Innocent()
