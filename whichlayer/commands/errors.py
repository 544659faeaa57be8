"""``whichlayer errors``: which kinds of errors there are, how often in which journey and release, since when."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def errors(  # noqa: PLR0913, PLR0917  each option of the command is an argument
        last: Annotated[str, typer.Option(help="How far back from now (or from --end): 1h, 7d, 30d.")] = "7d",
        start: Annotated[datetime | None, typer.Option(help="Start of the window, UTC.")] = None,
        end: Annotated[datetime | None, typer.Option(help="End of the window, UTC; now unless told.")] = None,
        journey: Annotated[str, typer.Option(help="Only this journey.")] = "",
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON, most frequent first.")] = False,
    ) -> None:
        """Group error texts into kinds: rate by journey and release, first and last seen."""
        from dashboards.facts.errors import read
        from whichlayer.answers import Asked
        from whichlayer.data import chosen, opened
        from whichlayer.error_table import print_json, print_table

        asked = Asked.of(against="expected", last=last, start=start, end=end)
        collector, _ = chosen(config, data)
        with opened(collector) as (store, _):
            found = [row for row in read(store, asked.start, asked.end) if journey in {"", row.journey}]
        if as_json:
            print_json(found)
        else:
            print_table(found, asked.start, asked.end)
