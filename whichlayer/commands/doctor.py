"""``whichlayer doctor``: what each driver needs on this endpoint, what is missing, and how exact it measures."""

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        driver: Annotated[str, typer.Option(help="Only this driver.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON.")] = False,
    ) -> None:
        """Say per driver what is present, what is missing and the command that installs it, and its noise floor."""
        from whichlayer.checkups import examine, print_json, print_words

        found = examine(driver)
        if as_json:
            print_json(found)
        else:
            print_words(found)
