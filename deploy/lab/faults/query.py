"""A release brings a slow query: its search reads the text of every record instead of an index."""

from collector.model.layer import Layer
from deploy.lab.casebook.content import CASES
from deploy.lab.fault import Running
from deploy.lab.world import RELEASE, World

_BAD_RELEASE = "3.59"


class _Query:
    words = "release 3.59 brings a slow query"
    truth = Layer.DATABASE
    link = None

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002
        """Needs nothing."""
        return None

    def start(self, world: World, strength: float) -> Running:
        """Bring a release whose search works 350 to 600 ms in the database, on as many records as that takes."""
        wanted = 0.35 + 0.25 * strength
        # Measured while the machine was busy, a record seems to take longer than it does.
        depth = min(CASES, max(CASES // 2, int(wanted / world.text_search_seconds)))
        world.release(_BAD_RELEASE, "--text-search-depth", str(depth))
        return Running(stop=lambda: world.release(RELEASE))


PLUGIN = _Query()
