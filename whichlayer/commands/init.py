"""``whichlayer init``: point whichlayer at your own application."""

from pathlib import Path
from typing import Annotated

import typer

_URL = typer.Option("--url", help="Address of the application's sign-in page.", prompt="Address of the sign-in page")
_USER = typer.Option(
    "--username", help="Where the user name is kept: keyring:SERVICE/NAME, file:PATH or env:NAME.",
    prompt="User name, by reference (keyring:SERVICE/NAME, file:PATH or env:NAME)",
)  # fmt: skip
_PASSWORD = typer.Option(
    "--password", help="Where the password is kept, likewise.", prompt="Password, by reference likewise"
)
_LINK = typer.Option(
    "--link", help="The network of this machine: wired, wifi, vpn, mobile.", prompt="Link (wired, wifi, vpn, mobile)"
)
_SEARCH = typer.Option(
    "--search", help="Words whose search finds a record.", prompt="Words whose search finds a record"
)
_SAFE = typer.Option("--safe-record", help="Text only the record made for probes shows. Without it nothing is written.")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(  # noqa: PLR0913, PLR0917  each is one question
    url: Annotated[str, _URL],
    username: Annotated[str, _USER],
    password: Annotated[str, _PASSWORD],
    link: Annotated[str, _LINK],
    search: Annotated[str, _SEARCH],
    safe_record: Annotated[str | None, _SAFE] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Where the files are written.")] = Path(),
    site: Annotated[str, typer.Option("--site", help="Name of the organisation or location.")] = "my-site",
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="Name of this endpoint.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the first run as JSON.")] = False,
) -> None:
    """Write a commented configuration for your application, check it, and walk the journey once.

    Signs in once to see what the application offers. Secrets are given by reference and never written
    down. Nothing is saved in the application unless a safe record is named.
    """
    from rich.console import Console

    from collector import secret
    from collector.model.errors import ConfigError
    from whichlayer import start
    from whichlayer.agent import check_plan
    from whichlayer.draft import Wish, client, draft

    say = Console(stderr=True, highlight=False)
    answers = start.Answers(
        url=url,
        username=start.absolute(username),
        password=start.absolute(password),
        link=link,
        site=site,
        endpoint=endpoint or start.endpoint_name(),
        writes=safe_record is not None,
    )
    try:
        start.check(folder, answers)
    except ConfigError as error:
        raise typer.BadParameter("; ".join(mistake.message for mistake in error.mistakes)) from None
    user, word = secret.resolve(answers.username), secret.resolve(answers.password)
    say.print(f"Looking at {url} …")
    with client() as opened:
        made = draft(Wish(url=url, username=user, password=word, search=search, safe_record=safe_record), opened)
    configuration, journey = start.write(folder, answers, made)
    say.print(f"Wrote {configuration} and {journey}.")
    for note in made.notes:
        say.print(f"Note: {note}.")
    check_plan(configuration)
    _walk(configuration, as_json)
    say.print(f"Next: read both files, then run: whichlayer up --config {configuration}")


def _walk(configuration: Path, as_json: bool) -> None:
    from rich.console import Console

    from collector.model.run import MEASURED
    from whichlayer.agent import walk_plan
    from whichlayer.run_table import table

    (run,) = walk_plan(configuration)
    if as_json:
        from probes.agent.wire import run_json

        print(run_json(run))
    else:
        Console().print(table(run))
    if run.outcome not in MEASURED:
        raise typer.Exit(1)
