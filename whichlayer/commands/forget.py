"""``whichlayer forget``: remove everything of one site, with its bytes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from whichlayer.forget import Gone


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("forget")(_forget)


def _forget(
    site: Annotated[str, typer.Option(help="The site.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only said what would go.")] = False,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
    data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove every fact of a site, with the bytes, and the evidence from its verdicts. There is no way back."""
    import json
    from datetime import UTC, datetime

    from rich.console import Console

    from whichlayer.data import chosen, opened
    from whichlayer.forget import forget, look

    collector, _ = chosen(config, data)
    now = datetime.now(UTC)
    with opened(collector) as (store, registry), Console(stderr=True).status("counting rows") as status:
        if yes:
            gone = forget(store, registry, collector.data, site, now=now, tell=status.update)
        else:
            gone = look(store, registry, collector.data, site, now=now)
    if as_json:
        print(json.dumps(gone.as_json(), indent=1))
    else:
        _print(gone)


def _print(gone: "Gone") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "removed" if gone.done else "would go")
    for name, rows in gone.facts.rows.items():
        table.add_row(f"rows of {name}", f"{rows:,}")
    freed = gone.facts.bytes
    bytes_said = f"{freed:,}" if freed >= 0 else f"none: the catalog, written anew, takes {-freed:,} more"
    table.add_row("bytes on the disk" if gone.done else "bytes of files to be written anew", bytes_said)
    table.add_row("kept snapshots, of every site", f"{gone.facts.snapshots:,}")
    table.add_row("evidence of verdicts", f"{gone.rest.verdicts:,}")
    table.add_row("declared changes", f"{gone.rest.changes:,}")
    table.add_row("maps of the estate that name it", f"{gone.rest.maps:,}")
    table.add_row("memories of sources", f"{len(gone.memories):,}")
    Console().print(table)
    if not gone.done:
        print("Nothing was removed. To do it, say --yes; there is no way back.")
        return
    print("Copies that whichlayer does not know stay: exports, backups, what agents have not sent yet.")
    if gone.rest.maps:
        print("The map of the estate named it: take it out of the file too, or the next start brings it back.")
