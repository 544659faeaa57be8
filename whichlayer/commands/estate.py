"""``whichlayer estate``: the map of what runs on what, checked, and held against what has data."""

from pathlib import Path
from typing import Annotated

import typer

_Config = Annotated[Path, typer.Option(help="The configuration file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The map of the estate: check it, list it beside what has data.")
    group.callback(invoke_without_command=True)(_list)
    group.command("check")(_check)
    group.command("example")(_example)
    group.command("draft")(_draft)
    app.add_typer(group, name="estate")


def _list(context: typer.Context, config: _Config = _DEFAULT, as_json: _Json = False) -> None:
    """List every component: who uses it, what it runs on, who answers for it, whether it has data."""
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC, datetime

    from collector import estate
    from dashboards.facts.estate import survey
    from whichlayer import estate_table
    from whichlayer.data import opened
    from whichlayer.settings import load

    settings = load(config).collector
    drawn = None if settings.estate is None else estate.read(settings.estate)
    with opened(settings) as (store, registry):
        chosen = drawn or registry.estate()
        found = None if chosen is None else survey(store, chosen, datetime.now(UTC))
    if as_json:
        estate_table.print_json(found)
    else:
        estate_table.show(found)
    if found is None:
        raise typer.Exit(1)


def _check(
    file: Annotated[Path, typer.Argument(help="The map.")] = Path("estate.yaml"), as_json: _Json = False
) -> None:
    """Read a map and tell every mistake at once, each with its place; say what it holds when it is right."""
    import json
    from datetime import UTC, datetime

    from collector import estate

    found = estate.read(file)
    shared = {name: sorted(users) for name, users in found.shared(datetime.now(UTC)).items()}
    counts = {"sites": len(found.sites), "endpoints": len(found.endpoints), "components": len(found.components)}
    if as_json:
        print(json.dumps({**counts, "shared": shared, "digest": found.digest}))
        return
    print(f"{file} is right: {', '.join(f'{count} {what}' for what, count in counts.items())}.")
    for name, users in shared.items():
        print(f"{name} is shared by {' and '.join(users)} today.")


def _example() -> None:
    """Print an example of a map, to begin with."""
    from importlib.resources import files

    print((files("collector") / "example-estate.yaml").read_text("utf-8"), end="")


def _draft(  # noqa: PLR0913, PLR0917  each option of the command is an argument
    config: _Config = _DEFAULT,
    days: Annotated[float, typer.Option(help="How far back is looked for data.", min=0.01, max=400)] = 7.0,
    prometheus: Annotated[
        str | None, typer.Option(help="Address of a Prometheus: draft from its series instead.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option(help="With it: product or mapping file; all shipped if absent.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="With it: user name, if it asks for one.")] = None,
    password: Annotated[str | None, typer.Option(help="Its secret reference: keyring:, file: or env:.")] = None,
    token: Annotated[str | None, typer.Option(help="Secret reference of a bearer token instead.")] = None,
) -> None:
    """Print a first map, drafted from what has data, to be completed by hand."""
    from datetime import UTC, datetime, timedelta

    from whichlayer import estate_draft
    from whichlayer.data import opened
    from whichlayer.settings import load

    now = datetime.now(UTC)
    if prometheus is None:
        settings = load(config)
        with opened(settings.collector) as (store, _registry):
            found = estate_draft.from_store(store, now, timedelta(days=days))
        site, source = settings.site, f"the data of the last {days:g} days"
    else:
        from whichlayer.prometheus_history import asked_of

        site, source = "my-site", f"the series of {prometheus}"
        access = {"url": prometheus, "user": user, "password": password, "token": token}
        with asked_of(access, site=site) as asked:
            found = estate_draft.from_prometheus(asked, mapping or (), now)
    print(estate_draft.written(found, site=site, source=source, now=now), end="")
