"""``whichlayer up``: the collector, the analysis, the pages and the local agent, in one process."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def up(
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        behind_proxy: Annotated[
            bool, typer.Option("--behind-proxy", help="A proxy in front does TLS; needed for addresses but loopback.")
        ] = False,
        verbose: Annotated[bool, typer.Option("--verbose", help="Log every request.")] = False,
    ) -> None:
        """Serve collector, analysis and pages until SIGTERM or Ctrl-C. Exit 2 when the configuration is wrong."""
        from whichlayer.logs import configure
        from whichlayer.service import Exposed, Plan, serve
        from whichlayer.settings import load

        configure(verbose=verbose)
        plan = Plan(file=config, settings=load(config), behind_proxy=behind_proxy)
        try:
            serve(plan)
        except Exposed as refusal:
            typer.echo(f"whichlayer: {refusal}", err=True)
            raise typer.Exit(2) from None
