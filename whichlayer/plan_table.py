"""What cannot be told apart, and what would tell it: in sentences, each answer once, or as JSON."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from analysis.identifiability import Addition, Group
from analysis.plan import StepPlan
from collector.model.layer import Layer
from collector.model.verdict import Status

_WHEN = {Status.SLOW: "When slow", Status.FAILING: "When timing out"}


def print_json(found: Sequence[StepPlan]) -> None:
    """Print the list for machines."""
    json.dump([_json(one) for one in found], sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def print_sentences(found: Sequence[StepPlan]) -> None:
    """Print each group once, with the steps and accesses it is said of."""
    console = Console(highlight=False)
    if not found:
        console.print("No step ran often enough in this time to say anything of it.")
        return
    apart = [one for one in found if not one.groups]
    if apart:
        console.print(Text(f"Every layer behind {_steps(apart)} can be told from every other."))
    for group, steps in _merged(found).items():
        _print_group(console, group, steps)


def _merged(found: Sequence[StepPlan]) -> Mapping[Group, list[StepPlan]]:
    merged: dict[Group, list[StepPlan]] = {}
    for one in found:
        for group in one.groups:
            merged.setdefault(group, []).append(one)
    return merged


def _print_group(console: Console, group: Group, steps: Sequence[StepPlan]) -> None:
    console.print(Text(f"{_WHEN[group.status]}, {_steps(steps)}:", style="bold"))
    if group.unseen:
        console.print(Text(f"  what {_words(group.missed)} costs would not be laid on it{_instead(group)}."))
    else:
        console.print(Text(f"  {_words(group.layers)} cannot be told apart."))
    for addition in group.additions:
        console.print(Text(f"  add: {addition.words}"))
        console.print(Text(f"       {_cost(addition)}"))
    if not group.left:
        console.print(Text("  Then each of them would be named alone."))
    elif group.additions:
        console.print(Text(f"  Then this stays together, whatever is added: {_words(group.left)}."))
    else:
        console.print(Text("  Nothing that whichlayer could add tells them apart."))


def _instead(group: Group) -> str:
    others = [layer for layer in group.layers if layer not in group.missed]
    return f", but on {_words(others)}" if others else ": it would stay unexplained"


def _steps(steps: Iterable[StepPlan]) -> str:
    by_access: dict[str, list[str]] = {}
    for one in steps:
        where = f"{one.key.journey} by {one.key.population}"
        where += f" ({one.key.site}, {one.key.environment})"
        by_access.setdefault(where, []).append(one.key.step)
    return "; ".join(f"{', '.join(names)} of {where}" for where, names in by_access.items())


def _words(layers: Sequence[Layer]) -> str:
    names = [str(layer).replace("_", " ") for layer in layers]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _cost(addition: Addition) -> str:
    cost = addition.cost
    return f"cost: {cost.runs_per_hour:g} runs/h; rights: {cost.rights}; new machines: {cost.machines}"


def _json(one: StepPlan) -> dict[str, Any]:
    key = one.key
    return {
        "site": key.site,
        "journey": key.journey,
        "step": key.step,
        "population": {"link": str(key.population.link), "presentation": str(key.population.presentation)},
        "environment": key.environment,
        "runs_per_hour": one.runs_per_hour,
        "groups": [_group(group) for group in one.groups],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "status": str(group.status),
        "layers": [str(layer) for layer in group.layers],
        "missed": [str(layer) for layer in group.missed],
        "left": [str(layer) for layer in group.left],
        "additions": [
            {
                "name": one.name,
                "words": one.words,
                "runs_per_hour": one.cost.runs_per_hour,
                "rights": one.cost.rights,
                "new_machines": one.cost.machines,
            }
            for one in group.additions
        ],
    }
