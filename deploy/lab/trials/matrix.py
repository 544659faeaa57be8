"""``make lab``: every scenario several times, some that nobody wrote, a quiet hour; who was right, and how surely.

usage: python -m deploy.lab.trials.matrix [--rounds 5] [--unwritten 10] [--quiet "60 min"] [--seed 1] [--json]
       [--add FILE] [SCENARIO ...]

A round is one ``whichlayer lab run`` of all scenarios, in an order drawn by lot, on a world and a site of its own.
All of it takes hours: with ``--add``, what comes out is added to a file of JSON lines, and everything in that file is
counted, so that rounds made one by one (``--seed 2 --rounds 1``) add up.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.lab.rules import monitoring
from deploy.lab.trials.scenario import shipped
from deploy.lab.trials.tally import answer, summary, truth

_QUIET = "quiet"


def main() -> int:
    """Run it all; exit 0 only when everything that could be made was named right and nothing was lost."""
    asked = _arguments()
    lines = _earlier(asked.add)
    lost = 0
    unruly = monitoring.missing()
    beside = [] if unruly else ["--rules"]
    if unruly:
        Console(stderr=True).print(f"no alert rules beside: {unruly}")
    for options, scenarios in _plan(asked):
        found = list(_lab_run([*options, *beside, "--every", str(asked.every), "--alone", "--json"], asked.add))
        lines += found
        lost += scenarios - len(found)
    counted = summary(lines) | {"lost": lost}
    if asked.json:
        sys.stdout.write(json.dumps(counted | {"lines": lines}) + "\n")
    else:
        _print(lines, counted)
    ran = [line for line in lines if not line["skipped"]]
    return 0 if ran and not lost and all(line["right"] for line in ran) else 1


def _plan(asked: argparse.Namespace) -> Iterator[tuple[list[str], int]]:
    """Give the options of each call, and how many scenarios it runs."""
    names = asked.scenario or [name for name in shipped() if name != _QUIET]
    for number in range(asked.rounds):
        yield [*names, "--blind", "--seed", str(asked.seed + number)], len(names)
    if asked.unwritten:
        yield ["--blind", "--count", str(asked.unwritten), "--seed", str(asked.seed)], asked.unwritten
    if asked.quiet != "0":
        yield [_QUIET, "--lasts", asked.quiet, "--seed", str(asked.seed)], 1


def _earlier(path: Path | None) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()] if path and path.exists() else []


def _lab_run(options: list[str], add: Path | None) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "whichlayer", "lab", "run", *options]
    Console(stderr=True).print("$ " + " ".join(["whichlayer", *command[3:]]), highlight=False)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        for text in lab.stdout:
            if add:
                with add.open("a") as file:
                    file.write(text)
            yield json.loads(text)


def _print(lines: Sequence[Mapping[str, Any]], counted: Mapping[str, Any]) -> None:
    console = Console()
    columns = sorted({said for row in counted["answers"].values() for said in row})
    confusion = Table("to blame", *columns, title="How often each answer was given (rows: who is to blame)")
    for made, row in counted["answers"].items():
        confusion.add_row(made, *(str(row.get(said, "")) for said in columns))
    console.print(confusion)
    rates = Table("scenario", "right", "of", "95 % interval", "refused", title="Right, of those that could be made")
    for name, rate in counted["by_scenario"].items():
        rates.add_row(name, str(rate["count"]), str(rate["of"]), _interval(rate), str(rate["refused"] or ""))
    console.print(rates)
    for key, words in _RATES.items():
        rate = counted[key]
        refused = f", {rate['refused']} refused" if rate.get("refused") else ""
        console.print(f"{words}: {rate['count']} of {rate['of']} ({_interval(rate)}){refused}")
    _print_more(console, counted)
    if counted["side_by_side"]:
        console.print(_side_by_side(counted["side_by_side"]))
    for line in lines:
        if line["skipped"]:
            console.print(f"skipped, so not a pass: {line['scenario']} ({line['skipped']})")
        elif not line["right"]:
            console.print(f"wrong: {line['scenario']} (seed {line['seed']}): {answer(line)}, and it was {truth(line)}")


_RATES = {
    "one_to_blame": "one to blame, named first",
    "several_to_blame": "several to blame, all named and nobody else",
    "nobody_to_blame": "nobody to blame, nothing said",
    "innocent_blamed": "somebody blamed who is not to blame, with innocents beside",
}


def _print_more(console: Console, counted: Mapping[str, Any]) -> None:
    for name, cover in counted["shares"].items():
        console.print(
            f"share's interval holds the true share, {name} verdicts: {cover['count']} of {cover['of']} "
            f"({_interval(cover)}), median width {cover['median_width']}, {cover['not_known']} not known"
        )
    soon = counted["intervals_to_right_verdict"]
    if soon["count"]:
        runs = counted["runs_in_right_verdict"]
        console.print(f"probe intervals until the right verdict: median {soon['median']}, longest {soon['longest']}")
        console.print(f"runs that it stood on: median {runs['median']:g}, most {runs['most']}")
    windows = counted["quiet_windows"]
    if windows["of"]:
        console.print(f"windows with nobody to blame: {windows.get('normal', 0)} of {windows['of']} normal")
    if counted["lost"]:
        console.print(f"not run, since the lab failed before: {counted['lost']}")


def _side_by_side(counted: Mapping[str, Any]) -> Table:
    table = Table("over the same scenarios", *counted, title="Beside a Prometheus with a good team's alert rules")
    for key, words in _RATES.items():
        cells = [f"{one[key]['count']} of {one[key]['of']} ({_interval(one[key])})" for one in counted.values()]
        table.add_row(words, *cells)
    table.add_row("somebody to blame, nobody named", *(str(one["refused"]) for one in counted.values()))
    soon = [one["intervals_to_right_verdict"] for one in counted.values()]
    waited = [f"median {one['median']}, longest {one['longest']}" if one["count"] else "" for one in soon]
    table.add_row("runs until the right layer, when right", *waited)
    return table


def _interval(rate: Mapping[str, Any]) -> str:
    return f"{100 * rate['low']:.0f} to {100 * rate['high']:.0f} %" if "rate" in rate else "no rate"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make lab", description=main.__doc__)
    parser.add_argument("scenario", nargs="*", help="only these, by name or as files")
    parser.add_argument("--rounds", type=int, default=5, help="how often each scenario")
    parser.add_argument("--unwritten", type=int, default=10, help="scenarios that nobody wrote")
    parser.add_argument("--quiet", default="60 min", help="how long the quiet time is; 0: none")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two runs")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round")
    parser.add_argument("--add", type=Path, help="add the lines to this file, and count all that it holds")
    parser.add_argument("--json", action="store_true", help="one object, for machines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
