"""``whichlayer bundle``: a folder that installs the agent on an endpoint without a network."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def bundle(
        output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.")],
        platform: Annotated[str, typer.Option(help="win_amd64 or linux_x86_64.")] = "win_amd64",
        python: Annotated[
            list[str] | None,
            typer.Option(help="Python of the endpoints, such as 3.12; can be repeated. All if absent."),
        ] = None,
        wheel: Annotated[Path | None, typer.Option(help="whichlayer's own wheel, if not run from a checkout.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Make a folder with the agent's wheels, an install script for an ordinary user, a page and a manifest."""
        import json
        import sys

        from whichlayer.bundle import make
        from whichlayer.pins import PLATFORMS, PYTHONS

        if platform not in PLATFORMS:
            raise typer.BadParameter(f"{platform} is not one of {', '.join(PLATFORMS)}")
        if unknown := sorted(set(python or ()) - set(PYTHONS)):
            raise typer.BadParameter(f"Python {', '.join(unknown)} is not one of {', '.join(PYTHONS)}")
        made = make(
            output,
            platform,
            python or PYTHONS,
            wheel=wheel,
            tell=lambda text: print(f"whichlayer: {text}", file=sys.stderr, flush=True),
        )
        if as_json:
            facts = {"folder": str(output), "platform": platform, "pythons": made.pythons, "bytes": made.bytes}
            print(json.dumps({**facts, "packages": made.packages, "files": made.files}))
            return
        print(f"{output}: {len(made.packages)} packages, {len(made.files)} files, {made.bytes / 1e6:.1f} MB")
        print("carry it to the endpoint and begin with READ-ME-FIRST.md")
