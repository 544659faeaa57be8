"""``whichlayer change``: what was changed in the estate, so that verdicts can be read beside it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

_Config = Annotated[Path, typer.Option(help="The configuration file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Changes of the estate: declare and list them.", no_args_is_help=True)
    group.command("add")(_add)
    group.command("list")(_list)
    app.add_typer(group, name="change")


def _add(  # noqa: PLR0913, PLR0917  each option of the command is an argument
    what: Annotated[str, typer.Argument(help="What was changed, in a sentence.")],
    layer: Annotated[str, typer.Option(help="The layer it was made in, for example storage.")],
    start: Annotated[datetime, typer.Option(help="When it began, in this machine's time zone.")],
    end: Annotated[datetime | None, typer.Option(help="When it was done; leave out while it is under way.")] = None,
    component: Annotated[str | None, typer.Option(help="The component, for example san-1.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    effect: Annotated[str | None, typer.Option(help="What it is expected to do.")] = None,
    success: Annotated[str | None, typer.Option(help="How one will see that it worked.")] = None,
    cost: Annotated[float | None, typer.Option(help="What it cost.")] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="Planned: alerts do as their rules choose.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Its identifier; the same again replaces it.")] = None,
    config: _Config = _DEFAULT,
) -> None:
    """Declare a change."""
    import getpass
    import secrets
    from datetime import UTC

    from collector.model.change import Change
    from collector.model.layer import Layer
    from whichlayer.data import opened
    from whichlayer.settings import load

    if layer not in list(Layer):
        raise typer.BadParameter(f"write one of {', '.join(Layer)}", param_hint="--layer")
    settings = load(config)
    change_id = name or f"change-{secrets.token_hex(4)}"
    try:
        change = Change(
            change_id=change_id,
            site=settings.site,
            what=what,
            layer=Layer(layer),
            start=start.astimezone(UTC),
            end=end and end.astimezone(UTC),
            component=component,
            supplier=supplier,
            expected_effect=effect,
            success_test=success,
            cost=cost,
            maintenance=maintenance,
            declared_by=getpass.getuser(),
            declared_at=datetime.now(UTC),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error).replace("change_id", "--name")) from None
    with opened(settings.collector) as (_store, registry):
        registry.add_changes(f"command:{secrets.token_hex(16)}", [change])
    print(change_id)


def _list(
    start: Annotated[datetime | None, typer.Option(help="From when; a year ago unless told.")] = None,
    end: Annotated[datetime | None, typer.Option(help="Until when; now unless told.")] = None,
    config: _Config = _DEFAULT,
    as_json: _Json = False,
) -> None:
    """List changes that overlap a period, by start."""
    from datetime import UTC, timedelta

    from pydantic import TypeAdapter
    from rich.console import Console
    from rich.table import Table

    from collector.model.change import Change
    from whichlayer.data import opened
    from whichlayer.settings import load

    last = end.astimezone(UTC) if end else datetime.now(UTC)
    first = start.astimezone(UTC) if start else last - timedelta(days=365)
    with opened(load(config).collector) as (_store, registry):
        changes = list(registry.changes(first, last))
    if as_json:
        print(TypeAdapter(list[Change]).dump_json(changes).decode())
        return
    table = Table("change", "start", "end", "layer", "what", "supplier")
    for change in changes:
        done = f"{change.end:%Y-%m-%d %H:%M}" if change.end else "under way"
        row = (change.change_id, f"{change.start:%Y-%m-%d %H:%M}", done, str(change.layer), change.what)
        table.add_row(*row, change.supplier or "")
    Console().print(table if changes else "No change was declared for this period.")
