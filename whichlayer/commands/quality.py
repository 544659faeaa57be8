"""``whichlayer quality``: what was wrong with the data: gaps, silent sources, clocks, resets, losses."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def quality(
        hours: Annotated[float, typer.Option(min=0.01, max=744, help="How far back from now, at most 31 days.")] = 24.0,
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON, oldest first.")] = False,
    ) -> None:
        """List the entries of the data-quality ledger, the newest last."""
        from datetime import UTC, datetime, timedelta

        from collector.quality.ledger import between
        from whichlayer.data import chosen, opened
        from whichlayer.quality_table import print_json, print_table

        now = datetime.now(UTC)
        collector, _ = chosen(config, data)
        with opened(collector) as (store, _):
            found = between(store, now - timedelta(hours=hours), now)
        if as_json:
            print_json(found)
        else:
            print_table(found)
