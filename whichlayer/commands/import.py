"""``whichlayer import``: a file that people sent becomes facts, after a look at what would."""

from pathlib import Path
from typing import Annotated

import typer

from collector.model.access import Link, Presentation


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(_import)


def _import(  # noqa: PLR0913, PLR0917  each option of the command is an argument
    file: Annotated[Path, typer.Argument(help="The file.")],
    kind: Annotated[
        str | None,
        typer.Option(help="What kind of file it is: perfmon, table, eventlog, junit, robot, k6; found if it can be."),
    ] = None,
    mapping: Annotated[str | None, typer.Option("--map", help="A mapping file, or a product's name.")] = None,
    component: Annotated[str | None, typer.Option(help="Name of what the file does not name.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of times that do not say theirs: Europe/London.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="From where the runs of a test report were walked.")] = None,
    link: Annotated[Link | None, typer.Option(help="The network that endpoint was on.")] = None,
    presentation: Annotated[Presentation | None, typer.Option(help="Where the application was drawn.")] = None,
    held: Annotated[
        list[str] | None,
        typer.Option(help="In an event log: USER=ENDPOINT of a session a probe holds open; can be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be kept, and keep nothing.")] = False,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a file into the store, all of it or nothing. The same file again is kept once."""
    import hashlib
    import json
    from dataclasses import replace
    from datetime import UTC, datetime

    from collector.quality.files import doubts
    from collector.store import Batch
    from whichlayer import import_table
    from whichlayer.data import opened
    from whichlayer.import_kind import importer
    from whichlayer.settings import load

    settings = load(config)
    asked = import_table.asked(
        settings.site,
        mapping=mapping,
        component=component,
        zone=zone,
        endpoint=endpoint,
        access=import_table.access(link, presentation),
        held=import_table.held(held or ()),
        pseudonyms=import_table.pseudonyms(None if dry_run else settings.collector.data),
    )
    kind, reader = importer(file, kind)
    found = reader.read(file, asked)
    summary = import_table.summary(found)
    if not dry_run and found.facts:
        said = repr((file.read_bytes(), kind, mapping and Path(mapping).exists() and Path(mapping).read_bytes(), asked))
        batch_id = f"import:{hashlib.sha256(said.encode()).hexdigest()}"
        doubted = tuple(doubts(found, site=settings.site, kind=kind, now=datetime.now(UTC)))
        facts = replace(found.facts, quality=doubted)
        with opened(settings.collector) as (store, _registry):
            summary["new"] = store.append(Batch.of(facts, batch_id=batch_id, sender="import"))
    if as_json:
        print(json.dumps(summary))
    else:
        import_table.show(summary, dry_run=dry_run)
    if not found.facts:
        raise typer.Exit(1)
