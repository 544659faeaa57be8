"""``whichlayer why``: which layer made a step slow, in sentences with their evidence."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def why(  # noqa: PLR0913, PLR0917  each option of the command is an argument
        against: Annotated[
            str, typer.Option(help="What steps are held against: expected, target or reference.")
        ] = "expected",
        last: Annotated[str, typer.Option(help="How far back from now (or from --end): 30m, 1h, 30d.")] = "1h",
        start: Annotated[datetime | None, typer.Option(help="Start of the window, UTC.")] = None,
        end: Annotated[datetime | None, typer.Option(help="End of the window, UTC; now unless told.")] = None,
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print verdicts as JSON, worst first.")] = False,
    ) -> None:
        """Say which layer made a step slow or fail, for whom, and on what evidence."""
        from whichlayer.answers import Asked, print_json, print_sentences, verdicts

        asked = Asked.of(against=against, last=last, start=start, end=end)
        found = verdicts(asked, config=config, data=data)
        if as_json:
            print_json(found)
        else:
            print_sentences(found, asked)
