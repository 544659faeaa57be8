"""``whichlayer explain``: every station of one run, with its data."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Register ``explain``."""
    app.command("explain")(explain)


def explain(
    run_id: Annotated[str, typer.Argument(help="32 hexadecimal digits: from a page, a log or a trace.")],
    config: Annotated[Path, typer.Option(help="Configuration file.")] = Path("whichlayer.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> None:
    """Follow one measurement from its journey file to the verdicts that count it in."""
    from datetime import UTC, datetime

    from collector.model.errors import WhichlayerError
    from dashboards.facts import walk
    from whichlayer.data import opened
    from whichlayer.settings import load

    settings = load(config)
    with opened(settings.collector) as (store, registry):
        story = walk.find(store, registry, run_id, datetime.now(UTC))
    if story is None:
        raise WhichlayerError(f"there is no run {run_id} in the last 13 months: copy the whole id, 32 digits")
    if as_json:
        import json

        from whichlayer.story import as_document

        print(json.dumps(as_document(story)))
        return
    from rich.console import Console

    from dashboards.clock import Clock
    from whichlayer.story import show

    show(story, Console(), Clock(zone=settings.pages.zone()))
