"""``whichlayer doctor``: what each driver needs on this endpoint, and whether the active probes could run here."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        driver: Annotated[str, typer.Option(help="Only this driver, and no probes.")] = "",
        config: Annotated[Path, typer.Option("--config", "-c", help="Whose active probes are tried.")] = Path(
            "whichlayer.yaml"
        ),
        as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON.")] = False,
    ) -> None:
        """Say per driver what is present and missing, with the command that installs it, and its noise floor.

        Each active probe of the configuration is tried once; none signs in.
        """
        from whichlayer import checkups, probe_checkups

        found = checkups.examine(driver)
        probes = probe_checkups.examine(config) if not driver and config.exists() else []
        if as_json:
            checkups.print_json(found, probes)
            return
        checkups.print_words(found)
        probe_checkups.print_words(probes)
        if not driver and not config.exists():
            print(f"{config} is not here: no active probe was looked at.")
