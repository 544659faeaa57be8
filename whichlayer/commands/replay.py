"""``whichlayer replay``: draw a verdict again from its facts, and say whether it is the same."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(_replay)


def _replay(
    verdict: Annotated[str, typer.Argument(help="The id of the verdict, as why and the pages print it.")],
    version: Annotated[int | None, typer.Option(help="Which version; the latest unless told.")] = None,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
    data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Draw a verdict again. Exit codes: 0 equal, 3 it differs, 4 its evidence was removed."""
    import json

    from analysis.replay import Result, replay
    from collector.model.errors import WhichlayerError
    from whichlayer.data import chosen, opened

    collector, analysis = chosen(config, data)
    with opened(collector) as (store, registry):
        stored = registry.verdict(verdict, version)
        if stored is None:
            raise WhichlayerError(f"there is no verdict {verdict}" + (f" version {version}" if version else ""))
        done = replay(store, registry, analysis, stored)
    if as_json:
        pairs = {place: {"stored": old, "again": new} for place, (old, new) in done.differences.items()}
        told = {"verdict": stored.id, "version": stored.version, "result": str(done.result)}
        print(json.dumps(told | {"snapshot": done.snapshot, "notes": list(done.notes), "differences": pairs}, indent=1))
    else:
        print(f"verdict {stored.id} version {stored.version}: {_SAID[str(done.result)]}")
        for note in done.notes:
            print(f"  {note}")
        for place, (old, new) in done.differences.items():
            print(f"  {place}: {old} then, {new} now")
    raise typer.Exit({Result.EQUAL: 0, Result.DIFFERS: 3, Result.EVIDENCE_REMOVED: 4}[done.result])


_SAID = {
    "equal": "equal, after rounding to 6 significant digits",
    "differs": "it comes out differently",
    "evidence_removed": "evidence removed, it cannot be drawn again",
}
