"""What answers a step at its far side: our own servers, somebody else's service, or a printer.

Read from the runs themselves: only what goes to a printer has ``spool``, and a look at an external link has no account
but the far end's.
"""

from analysis.episode import Episode
from analysis.parts import ACCOUNT
from analysis.window import Window
from collector.model.layer import Layer
from collector.model.run import Phase

SERVER = (Layer.VIRTUALISATION, Layer.APP_SERVER, Layer.APPLICATION, Layer.DATABASE, Layer.STORAGE)


def behind(window: Window, episode: Episode) -> tuple[Layer, ...]:
    """Name the layers that answer the episode's step, by all of its runs in the window."""
    steps = window.steps
    same = (steps["step"] == episode.step) & (steps["journey"] == episode.journey) & (steps["site"] == episode.site)
    rows = steps[same]
    if rows[str(Phase.SPOOL)].notna().any():
        return (Layer.PRINTING,)
    told = rows[ACCOUNT].notna().any()
    external = bool(told[str(Phase.SERVER_EXTERNAL)]) and int(told.sum()) == 1
    return (Layer.EXTERNAL_LINK,) if external else SERVER
