"""``whichlayer why``: which layer made a step slow, in sentences with their evidence."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

_Prometheus = Annotated[
    str | None, typer.Option(help="Address of a Prometheus: answer from its history, read only, without a store.")
]
_Map = Annotated[Path | None, typer.Option("--map", help="With --prometheus: the map of the estate, with its probes.")]
_Hours = Annotated[float, typer.Option(help="With --prometheus: how much history is read.", min=0.1, max=24 * 28)]
_Mapping = Annotated[
    list[str] | None, typer.Option(help="With --prometheus: product or mapping file; all shipped unless told.")
]
_User = Annotated[str | None, typer.Option(help="With --prometheus: user name, if it asks for one.")]
_Password = Annotated[str | None, typer.Option(help="Its secret reference: keyring:, file: or env:.")]
_Token = Annotated[str | None, typer.Option(help="Secret reference of a bearer token instead.")]
_Against = Annotated[str, typer.Option(help="What steps are held against: expected, target or reference.")]
_Version = Annotated[int | None, typer.Option(help="With --verdict: which version; the latest unless told.")]


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def why(  # noqa: PLR0913, PLR0917  each option of the command is an argument
        against: _Against = "expected",
        last: Annotated[str, typer.Option(help="How far back from now (or from --end): 30m, 1h, 30d.")] = "1h",
        start: Annotated[datetime | None, typer.Option(help="Start of the window, UTC.")] = None,
        end: Annotated[datetime | None, typer.Option(help="End of the window, UTC; now unless told.")] = None,
        config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("whichlayer.yaml"),
        data: Annotated[Path | None, typer.Option(help="The data folder, instead of the configuration's.")] = None,
        verdict: Annotated[str, typer.Option(help="Show this stored verdict, and why it changed, instead.")] = "",
        version: _Version = None,
        prometheus: _Prometheus = None,
        estate: _Map = None,
        hours: _Hours = 24.0,
        mapping: _Mapping = None,
        user: _User = None,
        password: _Password = None,
        token: _Token = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print verdicts as JSON, worst first.")] = False,
    ) -> None:
        """Say which layer made a step slow or fail, for whom, and on what evidence."""
        from whichlayer.answers import Asked, print_json, print_sentences, print_versions, stored, verdicts

        if verdict:
            told = stored(verdict, version, config=config, data=data)
            (print_json if as_json else print_versions)(told)
            return
        asked = Asked.of(against=against, last=last, start=start, end=end)
        if prometheus is None:
            found = verdicts(asked, config=config, data=data)
        else:
            from whichlayer.prometheus_history import verdicts_of

            access = {"url": prometheus, "user": user, "password": password, "token": token}
            found = verdicts_of(asked, estate, access=access, hours=hours, mappings=mapping or ())
        if as_json:
            print_json(found)
        else:
            print_sentences(found, asked)
