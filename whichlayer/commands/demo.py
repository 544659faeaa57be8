"""``whichlayer demo``: break real things, one after the other, and see which layer is named."""

from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(  # noqa: PLR0913, PLR0917  one parameter per option
    fast: Annotated[bool, typer.Option("--fast", help="A run every 5 s instead of every minute.")] = False,
    fault: Annotated[list[str] | None, typer.Option(help="Only this fault; may be given several times.")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Draw order and strength; tell the truth at the end.")] = False,
    seed: Annotated[int | None, typer.Option(help="Draw the same again.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages on 127.0.0.1.", min=1, max=65535)] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Only the fault that is there before the first run.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line per fault for machines.")] = False,
) -> None:
    """Start a real application, learn how fast it usually is, break things, and say which layer it was.

    Exit code 0 when every verdict was right, 1 when one was not. Skipped faults are not passes.
    """
    import json
    import secrets
    from contextlib import closing

    from deploy.lab import demo as lab
    from deploy.lab.pace import FAST, USUAL
    from deploy.lab.stopping import stoppable
    from deploy.lab.trials.narrator import Spoken

    wanted = [*(fault or []), *([lab.FROM_START] if from_start else [])]
    wish = lab.Wish(
        pace=FAST if fast else USUAL, faults=tuple(wanted), blind=blind, port=port, keep=keep,
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
    )  # fmt: skip
    narrator = Spoken(blind=blind, on_stderr=as_json)
    trials = []
    with stoppable(), closing(lab.run(wish, narrator)) as running:
        for trial in running:
            trials.append(trial)
            if as_json and not blind:
                print(json.dumps(trial.json()), flush=True)
    if as_json and blind:
        for trial in trials:
            print(json.dumps(trial.json()), flush=True)
    narrator.summary(trials, wish.seed)
    ran = [trial for trial in trials if trial.skipped is None]
    if not ran or not all(trial.right for trial in ran):
        raise typer.Exit(1)
