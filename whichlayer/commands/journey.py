"""``whichlayer journey``: check journey files, walk one once, record one."""

from pathlib import Path
from typing import Annotated

import typer

Pairs = list[str]
_SLOW_SECONDS = 0.5


def add(app: typer.Typer) -> None:
    """Register ``journey check``, ``journey run`` and ``journey record``."""
    group = typer.Typer(help="Check journey files, walk one once, or record one.", no_args_is_help=True)
    group.command("check")(check)
    group.command("run")(run)
    group.command("record")(record)
    app.add_typer(group, name="journey")


def check(
    files: Annotated[list[Path], typer.Argument(help="Journey files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> None:
    """Print every mistake of the files as file:line:column. Exit code 2 if there is one."""
    import json

    from collector.model.errors import ConfigError, Mistake
    from probes.journey.file import load

    mistakes: list[Mistake] = []
    good = []
    for file in files:
        try:
            journey = load(file)
        except ConfigError as error:
            mistakes += error.mistakes
        else:
            good.append({"file": str(file), "journey": journey.name, "hash": journey.hash})
    if as_json:
        found = [{"file": m.file, "line": m.line, "column": m.column, "message": m.message} for m in mistakes]
        print(json.dumps({"journeys": good, "mistakes": found}))
    else:
        for one in good:
            print(f"{one['file']}: {one['journey']} ({one['hash']}) is correct")
    if mistakes and not as_json:
        raise ConfigError(mistakes)
    if mistakes:
        raise typer.Exit(2)


def run(  # noqa: PLR0913, PLR0917  one parameter per option
    file: Annotated[Path, typer.Argument(help="Journey file.")],
    var: Annotated[Pairs | None, typer.Option(help="NAME=VALUE, in place of the file's variable.")] = None,
    secret: Annotated[
        Pairs | None, typer.Option(help="NAME=REFERENCE: keyring:SERVICE/NAME, file:PATH or env:NAME.")
    ] = None,
    endpoint: Annotated[str, typer.Option(help="Name of this endpoint in the result.")] = "here",
    driver: Annotated[str | None, typer.Option(help="How it is walked; what fits the journey if not given.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Additional certification authorities (PEM).")] = None,
    proxy: Annotated[str | None, typer.Option(help="environment, none, or a proxy's address.")] = None,
    setting: Annotated[Pairs | None, typer.Option("--set", help="NAME=VALUE of the driver's settings.")] = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Half a second after everything done, to look at.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> None:
    """Walk a journey once, now, and show what was measured. Exit code 1 if a step did not succeed."""
    from collector.model.run import MEASURED
    from whichlayer.walk_once import walk_once

    shown = {"headed": headed or None, "slow": _SLOW_SECONDS if slow else None}
    given = {"ca_file": ca_file, "proxy": proxy, **shown, **_pairs("--set", setting)}
    done = walk_once(
        file,
        variables=_pairs("--var", var),
        references=_pairs("--secret", secret),
        endpoint=endpoint,
        name=driver,
        settings={name: value for name, value in given.items() if value is not None},
    )
    if as_json:
        from pydantic import TypeAdapter

        from collector.model.run import Run

        print(TypeAdapter(Run).dump_json(done).decode())
    else:
        from rich.console import Console

        from whichlayer.run_table import table

        Console().print(table(done))
    if done.outcome not in MEASURED:
        raise typer.Exit(1)


def record(
    url: Annotated[str, typer.Argument(help="Where the journey begins: https://cases.example.org/login")],
    output: Annotated[Path, typer.Option(help="The journey file that is written; its name is the journey's.")],
    browser: Annotated[
        str | None, typer.Option(help="Name or path of the browser; the first found if not given.")
    ] = None,
) -> None:
    """Show a journey in a browser window; when it is closed, the journey file is there. Secrets are never written."""
    from collector.model.errors import WhichlayerError
    from probes.drivers.browser import executable
    from probes.journey.file import parse

    if output.exists():
        raise WhichlayerError(f"{output} is there already: give another --output")
    program = executable.find(browser)
    try:
        from probes.drivers.browser import recorder
        from probes.drivers.browser.launch import Launch
    except ModuleNotFoundError as missing:
        raise WhichlayerError(
            f"recording needs the package {missing.name}: pip install 'whichlayer[browser]'"
        ) from None
    print("Show the journey in the window, then close it.")
    text = recorder.record(Launch(executable=program, headed=True), url, output.stem)
    output.write_text(text, encoding="utf-8")
    steps = parse(text, output).steps
    print(f"{output}: {len(steps)} steps ({', '.join(step.step for step in steps)}); read its first lines")


def _pairs(option: str, given: Pairs | None) -> dict[str, str]:
    """Split NAME=VALUE; what follows the sign is never repeated in an error, it may be a secret."""
    pairs = {}
    for one in given or []:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{option} is written {option} NAME=VALUE")
        pairs[name] = value
    return pairs
