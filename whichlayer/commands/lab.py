"""``whichlayer lab``: scenarios made for real, and what whichlayer said of each."""

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Register ``lab list`` and ``lab run``."""
    words = "Make scenarios for real, and see whether the right layer is named."
    group = typer.Typer(help=words, no_args_is_help=True)
    group.command("list")(list_scenarios)
    group.command("run")(run)
    app.add_typer(group, name="lab")


def list_scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print one line per scenario for machines.")] = False,
) -> None:
    """List the scenarios there are."""
    import json

    from deploy.lab.trials.scenario import find, shipped

    for name, scenario in map(find, shipped()):
        if as_json:
            print(json.dumps({"scenario": name, "words": scenario.words}, ensure_ascii=False))
        else:
            print(f"{name:<28} {scenario.words}")


def run(  # noqa: PLR0913, PLR0917  one parameter per option
    scenario: Annotated[list[str] | None, typer.Argument(help="Name of a shipped one, or path of a file.")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Draw them by lot; tell the truth at the end.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw the same again.")] = None,
    count: Annotated[int, typer.Option(help="How often each; blind and none named: how many.", min=1)] = 1,
    every: Annotated[float, typer.Option(help="Seconds between two runs.", min=2, max=3600)] = 5.0,
    lasts: Annotated[str | None, typer.Option(help="Watch so long, instead of what a file says: 10 min.")] = None,
    hold: Annotated[int, typer.Option(help="Runs that faults stay on at least, to measure what they cost.")] = 10,
    alone: Annotated[bool, typer.Option("--alone", help="Measure each of several faults by itself too.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Judge Prometheus with alert rules by the same.")] = False,
    port: Annotated[
        int | None, typer.Option(help="Port of the pages on 127.0.0.1; any if not told.", min=1, max=65535)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line per scenario for machines.")] = False,
) -> None:
    """Make scenarios for real, one after the other, and hold what whichlayer says against what was done.

    Exit code 0 when everything that could be made was named right, 1 when not, 2 when a file is wrong.
    """
    import json
    import secrets
    from contextlib import closing

    from collector.model.errors import WhichlayerError
    from deploy.lab.pace import at_every
    from deploy.lab.stopping import stoppable
    from deploy.lab.trials import campaign, choosing
    from deploy.lab.trials.lines import Measured
    from deploy.lab.trials.narrator import Spoken

    if not scenario and not blind:
        raise WhichlayerError("name a scenario (whichlayer lab list names them), or have some drawn: --blind")
    drawn = secrets.randbelow(1_000_000) if seed is None else seed
    plans = choosing.chosen(scenario or (), blind=blind, count=count, seed=drawn, lasts=lasts)
    narrator = Spoken(blind=blind, on_stderr=as_json, listed="scenario")
    asked = campaign.Campaign(
        planned=plans, pace=at_every(every), port=port or 0, hold_runs=hold, alone=alone, rules=rules
    )
    found: list[Measured] = []
    try:
        with stoppable(), closing(campaign.run(asked, narrator)) as running:
            for site, planned, trial in running:
                found.append(Measured.of(site, planned, trial))
                if as_json and not blind:
                    print(json.dumps(found[-1].json()), flush=True)
    finally:  # what was found before the lab failed is told too
        for one in found if as_json and blind else ():
            print(json.dumps(one.json()), flush=True)
    narrator.summary([one.trial for one in found], drawn)
    ran = [one.trial for one in found if one.trial.skipped is None]
    if not ran or not all(trial.right for trial in ran):
        raise typer.Exit(1)
