"""``whichlayer agent``: walk journeys and sample this machine, in slots of the clock or once."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print for machines.")]
Url = Annotated[str | None, typer.Option("--collector", help="Address of the collector, in place of the file's.")]
DEFAULT = Path("whichlayer.yaml")


def add(app: typer.Typer) -> None:
    """Register ``agent run``, ``once``, ``check``, ``describe``, ``selftest``, ``enrol`` and ``resume``."""
    group = typer.Typer(help="Walk journeys and sample this machine.", no_args_is_help=True)
    for command in (run, once, check, describe, selftest, enrol, resume):
        group.command(command.__name__)(command)
    app.add_typer(group, name="agent")


def run(
    config: Config = DEFAULT,
    collector: Url = None,
    log: Annotated[Path | None, typer.Option(help="Write the log to this file, at most 2 MB, instead.")] = None,
) -> None:
    """Work until told to stop (SIGTERM, Ctrl-C). What is measured is kept on disk until the collector has it."""
    from whichlayer import logs
    from whichlayer.agent import run_agent

    logs.configure(file=log)
    with logs.failure_is_logged():
        run_agent(config, url=collector)


def once(
    file: Annotated[Path | None, typer.Argument(help="Only this journey file of the plan.")] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Walk each journey of the plan once, now, and show it. Exit code 1 if a step did not succeed.

    Nothing is sent to the collector: a run outside the slots would not be comparable.
    """
    from collector.model.run import MEASURED
    from whichlayer.agent import walk_plan

    good = True
    for done in walk_plan(config, file):
        good = good and done.outcome in MEASURED
        if as_json:
            from probes.agent.wire import run_json

            print(run_json(done), flush=True)
        else:
            from rich.console import Console

            from whichlayer.run_table import table

            Console().print(table(done))
    if not good:
        raise typer.Exit(1)


def check(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Check the plan without walking it: files, names, secrets, and the budget. Exit code 2 on a mistake."""
    import json

    from collector.model.errors import ConfigError
    from whichlayer.agent import check_plan

    try:
        demands = check_plan(config)
    except ConfigError as error:
        if not as_json:
            raise
        found = [{"file": m.file, "line": m.line, "column": m.column, "message": m.message} for m in error.mistakes]
        print(json.dumps({"mistakes": found}))
        raise typer.Exit(2) from None
    if as_json:
        lines = [{"line": d.line, "asked": d.asked, "allowed": d.allowed, "sum": d.arithmetic} for d in demands]
        print(json.dumps({"mistakes": [], "budget": lines}))
        return
    print(f"{config} is correct. What the plan asks of the system:")
    for demand in demands:
        print(f"  {demand.line}: {demand.asked:g} of {demand.allowed:g} = {demand.arithmetic}")


def describe(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Print the sheet that change control asks for: files, ports, accounts, load in a day, data, removal, hashes."""
    import json

    from probes.agent.sheet import markdown
    from whichlayer.agent import describe_plan

    sheet = describe_plan(config)
    print(json.dumps(sheet, indent=1) if as_json else markdown(sheet), end="\n" if as_json else "")


def selftest(
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the JSON to this file.")] = None,
) -> None:
    """Say what is detected on this machine, by which way, how sure and how fast. Holds no names and no addresses."""
    import json
    from importlib.metadata import version

    from probes.agent.selftest import lines, report

    made = report(version("whichlayer"))
    if output is not None:
        output.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(made))
        return
    for line in lines(made):
        print(line)


def enrol(
    code: Annotated[str, typer.Option("--code", help="One-time code, from whichlayer invite at the collector.")],
    config: Config = DEFAULT,
    collector: Url = None,
) -> None:
    """Trade a one-time code for this agent's token, which is kept in its state folder."""
    from whichlayer.agent import enrol_agent

    print(f"enrolled; the token is in {enrol_agent(config, code, url=collector)}")


def resume(
    account: Annotated[str, typer.Argument(help="Name of the account.")],
    config: Config = DEFAULT,
) -> None:
    """Let an account be used again that this machine paused by itself, after its password was checked."""
    from whichlayer.agent import resume_account

    resume_account(config, account)
    print(f"account {account} may be used again by this agent; if the collector paused it, run there:")
    print(f"  whichlayer account resume {account}")
