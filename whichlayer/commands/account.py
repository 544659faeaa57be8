"""``whichlayer account``: the probes' accounts, and which are paused until a person resumes them."""

from pathlib import Path
from typing import Annotated

import typer

_Config = Annotated[Path, typer.Option(help="The configuration file.")]
_DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Accounts of the probes: who uses them, which are paused.", no_args_is_help=True)
    group.command("list")(_list)
    group.command("resume")(_resume)
    app.add_typer(group, name="account")


def _list(
    config: _Config = _DEFAULT, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List accounts."""
    from pydantic import TypeAdapter
    from rich.console import Console
    from rich.table import Table

    from collector.registry import Account
    from whichlayer.data import opened
    from whichlayer.settings import load

    with opened(load(config).collector) as (_store, registry):
        accounts = list(registry.accounts())
    if as_json:
        print(TypeAdapter(list[Account]).dump_json(accounts).decode())
        return
    table = Table("account", "failed sign-ins in a row", "paused since", "in use until")
    for account in accounts:
        paused, until = (
            "" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC" for time in (account.paused_at, account.held_until)
        )
        table.add_row(account.name, str(account.failures_in_a_row), paused, until)
    Console().print(table if accounts else "No account was used yet.")


def _resume(account: Annotated[str, typer.Argument(help="Name of the account.")], config: _Config = _DEFAULT) -> None:
    """Let a paused account be used again. First check by hand that its password works."""
    from collector.model.errors import WhichlayerError
    from whichlayer.data import opened
    from whichlayer.settings import load

    with opened(load(config).collector) as (_store, registry):
        try:
            registry.resume(account)
        except LookupError:
            known = ", ".join(found.name for found in registry.accounts()) or "none yet"
            raise WhichlayerError(f"there is no account {account}; known accounts: {known}") from None
    print(f"account {account} may be used again")
