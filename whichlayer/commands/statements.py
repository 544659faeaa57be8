"""``whichlayer statements``: which kinds of statements took a database's time, by their shape."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def statements(  # noqa: PLR0913, PLR0917  each option of the command is an argument
        last: Annotated[str, typer.Option(help="How far back from now (or from --end): 30m, 1h, 7d.")] = "1h",
        start: Annotated[datetime | None, typer.Option(help="Start of the window, UTC.")] = None,
        end: Annotated[datetime | None, typer.Option(help="End of the window, UTC; now unless told.")] = None,
        component: Annotated[str, typer.Option(help="Only this one: of a server, or as a verdict names it.")] = "",
        most: Annotated[int, typer.Option(help="How many are printed.", min=1)] = 20,
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON, costliest first.")] = False,
    ) -> None:
        """List the kinds of statements that took the most time, without any value of theirs."""
        from dashboards.facts.statements import read
        from whichlayer.answers import Asked
        from whichlayer.data import chosen, opened
        from whichlayer.statement_table import print_json, print_table

        asked = Asked.of(against="expected", last=last, start=start, end=end)
        collector, _ = chosen(config, data)
        with opened(collector) as (store, _):
            kinds = read(store, asked.start, asked.end)
        found = [one for one in kinds if not component or f"{one.component}-".startswith(f"{component}-")]
        if as_json:
            print_json(found)
        else:
            print_table(found, most)
