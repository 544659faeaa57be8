"""A release asks the database once per row (N+1): each question is as quick as ever, and there are hundreds."""

from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.world import RELEASE, World

_BAD_RELEASE = "3.60"
_LEAST = 600  # cases; a surname has about 1250


class _NPlusOne:
    words = "release 3.60 asks the database once per row"
    truth = Layer.APPLICATION
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """Bring a release whose search asks for as many cases one by one as take 350 to 600 ms."""
        # Measured while the machine was busy, a case seems to take longer than it does.
        cases = max(_LEAST, int((0.35 + 0.25 * strength) / world.case_seconds))
        world.release(_BAD_RELEASE, "--one-by-one", str(cases))
        return Running(stop=lambda: world.release(RELEASE))


PLUGIN = _NPlusOne()
