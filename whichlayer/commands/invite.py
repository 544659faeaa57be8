"""``whichlayer invite``: a one-time code with which an agent on another machine enrols."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def invite(
        endpoint: Annotated[str, typer.Argument(help="Stable name of the endpoint, for example ward-3-pc.")],
        operator: Annotated[bool, typer.Option("--operator", help="For a person who reads and decides.")] = False,
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Print a one-time enrolment code, good for 24 hours."""
        import json
        from datetime import UTC, datetime

        from collector.registry import Scope
        from whichlayer.data import opened
        from whichlayer.settings import load

        scope = Scope.OPERATOR if operator else Scope.AGENT
        with opened(load(config).collector) as (_store, registry):
            try:
                code = registry.invite(endpoint, scope=scope, now=datetime.now(UTC))
            except ValueError as error:
                raise typer.BadParameter(str(error)) from None
        print(json.dumps({"endpoint": endpoint, "scope": scope, "code": code}) if as_json else code)
