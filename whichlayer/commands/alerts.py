"""``whichlayer alerts``: what every rule says now; who looks after it; a test of every channel."""

from pathlib import Path
from typing import Annotated

import typer

_Config = Annotated[Path, typer.Option(help="The configuration file.")]
_DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What every rule of alerting says now, critical first.", invoke_without_command=True)
    group.callback()(_list)
    group.command("test")(_test)
    group.command("acknowledge")(_acknowledge)
    app.add_typer(group, name="alerts")


def _list(
    context: typer.Context,
    config: _Config = _DEFAULT,
    data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON.")] = False,
) -> None:
    """List what every rule says now."""
    if context.invoked_subcommand is not None:
        return
    from whichlayer.alert_table import print_json, print_table
    from whichlayer.data import chosen, opened

    collector, _ = chosen(config, data)
    with opened(collector) as (_store, registry):
        alerts, notices = registry.alerts(), registry.notices()
    if as_json:
        print_json(alerts)
    else:
        print_table(alerts, notices)


def _test(config: _Config = _DEFAULT) -> None:
    """Send a test message by each channel and say what happened. Exit 1 when one did not take it."""
    from whichlayer.alert_table import try_channels
    from whichlayer.settings import load, places

    if not try_channels(load(config).alerts, places(config)):
        raise typer.Exit(1)


def _acknowledge(
    key: Annotated[str, typer.Argument(help="The key of an open alert, as the list shows it.")],
    by: Annotated[str | None, typer.Option(help="Who looks after it; the user of this terminal unless told.")] = None,
    config: _Config = _DEFAULT,
) -> None:
    """Note who looks after an open alert, until it recovers. It is told of all the same."""
    import getpass
    from datetime import UTC, datetime

    from whichlayer.data import opened
    from whichlayer.settings import load

    with opened(load(config).collector) as (_store, registry):
        try:
            seen = registry.acknowledge(key, by=by or getpass.getuser(), now=datetime.now(UTC))
        except LookupError as error:
            raise typer.BadParameter(str(error.args[0]), param_hint="KEY") from None
    print(f"{seen.acknowledged_by} looks after {seen.key}")
