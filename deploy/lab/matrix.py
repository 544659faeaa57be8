"""``make lab``: the whole demo several times, in order and blind; prints truth against verdict.

usage: python -m deploy.lab.matrix [--ordered 3] [--blind 3] [--seed 1] [--json]
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

NOTHING = "no verdict"


def main() -> int:
    """Run it all; exit 0 only when every fault that could be made was named right."""
    asked = _arguments()
    lines = [line for options in _plan(asked) for line in _demo(options)]
    ran = [line for line in lines if not line["skipped"]]
    wrong = [line for line in ran if not line["right"]]
    if asked.json:
        summary = {"faults": len(lines), "ran": len(ran), "wrong": len(wrong), "lines": lines}
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        _print(lines, ran, wrong)
    return 0 if ran and not wrong else 1


def _plan(asked: argparse.Namespace) -> Iterator[list[str]]:
    for _ in range(asked.ordered):
        yield ["--fast"]
    for number in range(asked.blind):
        yield ["--fast", "--blind", "--seed", str(asked.seed + number)]


def _demo(options: list[str]) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "whichlayer", "demo", *options, "--json"]
    Console(stderr=True).print("$ " + " ".join(["whichlayer", *command[3:]]))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for text in demo.stdout:
            if text.startswith("{"):
                yield json.loads(text) | {"demo": " ".join(options)}


def _print(lines: list[dict[str, Any]], ran: list[dict[str, Any]], wrong: list[dict[str, Any]]) -> None:
    console = Console()
    counts = Counter((line["truth"] or NOTHING, _named(line)) for line in ran)
    truths = sorted({truth for truth, _ in counts})
    answers = sorted({answer for _, answer in counts})
    table = Table("truth", *answers, title="How often each answer was given (rows: truth)")
    for truth in truths:
        table.add_row(truth, *(str(counts[truth, answer] or "") for answer in answers))
    console.print(table)
    seconds = sorted(line["seconds_to_verdict"] for line in ran if line["seconds_to_verdict"] is not None)
    if seconds:
        console.print(f"seconds to verdict: median {seconds[len(seconds) // 2]:.0f}, longest {seconds[-1]:.0f}")
    for line in lines:
        if line["skipped"]:
            console.print(f"skipped, so not a pass: {line['fault']} ({line['skipped']})")
    for line in wrong:
        console.print(f"wrong: {line['fault']} in {line['demo']}: {_named(line)} instead of {line['truth'] or NOTHING}")
    console.print(f"{len(ran) - len(wrong)} of {len(ran)} right")


def _named(line: dict[str, Any]) -> str:
    verdict = line["verdict"]
    if not verdict:
        return NOTHING
    blamed = [layer["layer"] for layer in verdict["layers"] if layer["state"] == "blamed"]
    return str(blamed[0]) if blamed else "unexplained"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make lab", description=main.__doc__)
    parser.add_argument("--ordered", type=int, default=3, help="demos in the usual order")
    parser.add_argument("--blind", type=int, default=3, help="demos drawn by lot")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first blind demo")
    parser.add_argument("--json", action="store_true", help="one object, for machines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
