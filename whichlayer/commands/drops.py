"""``whichlayer drops``: how often sessions held open were lost, per 1,000 session-hours, by access."""

from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drops")(drops)


def drops(
    last: Annotated[str, typer.Option(help="How far back from now: 24h, 7d, 30d.")] = "30d",
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
    data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> None:
    """Count the drops of sessions held open, with their exposure, causes, and what became of the work."""
    import json

    from analysis.drops import count
    from collector.public import drops_json
    from dashboards import session_words
    from whichlayer.answers import Asked
    from whichlayer.data import chosen, opened

    asked = Asked.of(against="expected", last=last, start=None, end=None)
    collector, analysis = chosen(config, data)
    with opened(collector) as (store, _):
        report = count(store, start=asked.start, end=asked.end, level=analysis.level, now=asked.now)
    if as_json:
        print(json.dumps(drops_json(report), indent=1, ensure_ascii=False))
        return
    for line in session_words.lines(report):
        print(line)
