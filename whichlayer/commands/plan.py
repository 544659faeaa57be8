"""``whichlayer plan``: which layers could not be told apart, and the cheapest addition that would do it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def plan(  # noqa: PLR0913, PLR0917  each option of the command is an argument
        last: Annotated[str, typer.Option(help="What has data is what had some so far back: 30m, 1h, 1d.")] = "1h",
        end: Annotated[datetime | None, typer.Option(help="End of that time, UTC; now unless told.")] = None,
        journey: Annotated[str, typer.Option(help="Only this journey.")] = "",
        step: Annotated[str, typer.Option(help="Only this step.")] = "",
        access: Annotated[str, typer.Option(help="Only this access: wifi, or as why says it, citrix over wifi.")] = "",
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON, by step and access.")] = False,
    ) -> None:
        """Say which layers the data cannot tell apart, and what would be the cheapest to measure in addition."""
        from analysis.loading import load, window
        from analysis.plan import Only
        from analysis.plan import plan as planned
        from whichlayer.answers import Asked
        from whichlayer.data import chosen, opened
        from whichlayer.plan_table import print_json, print_sentences

        asked = Asked.of(against="expected", last=last, start=None, end=end)
        collector, analysis = chosen(config, data)
        with opened(collector) as (store, registry):
            facts = load(store, registry, analysis, start=asked.start, end=asked.end, since=asked.start)
        found = planned(window(facts), Only(journey=journey, step=step, access=access))
        if as_json:
            print_json(found)
        else:
            print_sentences(found)
