"""``whichlayer export``: all facts, changes and verdicts as Parquet or CSV, to be read without whichlayer."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(_export)


def _export(  # noqa: PLR0913, PLR0917  each option of the command is an argument
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    table: Annotated[
        list[str] | None,
        typer.Option("--tables", help="Only this: a table, changes or verdicts; can be repeated, or separated by ','."),
    ] = None,
    start: Annotated[datetime | None, typer.Option(help="From when, UTC; from the first unless told.")] = None,
    end: Annotated[datetime | None, typer.Option(help="Until when, UTC; to the last unless told.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Only this site; can be repeated.")] = None,
    kind: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    split: Annotated[str, typer.Option(help="What one file holds: day or month.")] = "month",
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
    data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write everything into a folder of plain files, whole or not at all."""
    import json
    from datetime import UTC, datetime

    from whichlayer import export_page
    from whichlayer.data import chosen, opened
    from whichlayer.export import write
    from whichlayer.export_table import asked, progress, show

    wanted = asked(tables=table or (), start=start, end=end, sites=site or (), kind=kind, split=split)
    collector, _ = chosen(config, data)
    with opened(collector) as (store, registry), progress() as tell:
        done = write(store, registry, folder, wanted, now=datetime.now(UTC), tell=tell)
    if as_json:
        print(json.dumps({"folder": str(folder), **export_page.summary(done)}))
    else:
        show(folder, done)
