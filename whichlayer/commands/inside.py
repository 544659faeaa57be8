"""``whichlayer inside``: runs in a remote session and times there what the remote driver times from outside."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inside")(inside)


def inside(
    folder: Annotated[Path, typer.Argument(help="The folder the driver sees as well; for this user alone.")],
    display: Annotated[str | None, typer.Option(help="The session's display, instead of $DISPLAY.")] = None,
) -> None:
    """Time from inside this session what a remote journey waits for, until Ctrl-C. Linux, with X.

    It sees how long ago something was typed, never what; it looks at the screen only while it is asked to.
    """
    from whichlayer.inside import watch_session

    watch_session(folder, display)
