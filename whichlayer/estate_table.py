"""The map of the estate beside what has data, for people and for machines."""

import json
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from dashboards import estate_words as words
from dashboards.facts.estate import Part, Survey


def show(found: Survey | None) -> None:
    """Print it for people."""
    console = Console()
    if found is None:
        console.print(words.NOTHING)
        return
    others = (Column(name, overflow="fold") for name in ("used by", "runs on now", "answers now", "data"))
    table = Table(Column("component", no_wrap=True), *others, box=SIMPLE_HEAD)
    parts = sorted(found.parts, key=lambda part: (words.ORDER.index(part.component.layer), part.component.name))
    for layer, group in groupby(parts, key=lambda part: part.component.layer):
        table.add_row(f"[bold]{layer}[/bold]")
        for part in group:
            carried, answers = ", ".join(part.bases) or "-", part.supplier or "not told"
            table.add_row(f"  {part.component.name}", words.users(part), carried, answers, words.SHORT[part.heard])
    table.add_row("[bold]endpoint[/bold]")
    for vantage in found.vantages:
        table.add_row(f"  {vantage.place.name}", "-", "-", "-", words.SHORT[vantage.heard])
    console.print(table)
    if found.unmapped:
        seen = ", ".join(words.unmapped(one) for one in found.unmapped)
        console.print(f"In the data of the last 15 minutes and not in the map: {seen}.", markup=False, highlight=False)


def print_json(found: Survey | None) -> None:
    """Print it for machines; null when no map is in force."""
    print(json.dumps(None if found is None else _json(found), indent=1, ensure_ascii=False))


def _json(found: Survey) -> dict[str, Any]:
    return {
        "digest": found.digest,
        "components": [_part(part) for part in found.parts],
        "endpoints": [
            {
                "name": one.place.name,
                "site": one.place.site,
                "data": str(one.heard),
                "last": one.last and one.last.isoformat(),
            }
            for one in found.vantages
        ],
        "not_in_map": [{"name": one.name, "layer": one.layer, "last": one.last.isoformat()} for one in found.unmapped],
    }


def _part(part: Part) -> dict[str, Any]:
    one = part.component
    return {
        "name": one.name,
        "layer": str(one.layer),
        "kind": one.kind,
        "environments": list(part.environments),
        "shared": part.shared,
        "runs_on": list(part.bases),
        "supplier": part.supplier,
        "contract": one.contract and {"reference": one.contract.reference, "target": one.contract.target},
        "data": str(part.heard),
        "last": part.last and part.last.isoformat(),
    }
