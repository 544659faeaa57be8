"""What an import would keep, or kept: one line for each metric of each component, for people and for machines."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Column, Table

from collector.importer import Asked, Imported
from collector.model.catalogue import CATALOGUE


def asked(site: str, mapping: str | None, component: str | None, zone: str | None) -> Asked:
    """Put the options together. Raises BadParameter."""
    try:
        return Asked(site=site, mapping=mapping, component=component, zone=ZoneInfo(zone) if zone else None)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter("write one like Europe/London", param_hint="--zone") from None


def summary(found: Imported) -> dict[str, Any]:
    """Give what was read as JSON has it: rows of component, metric, unit, count, first, last, least and most."""
    ordered = sorted(found.facts.samples, key=lambda sample: (sample.component, sample.metric, sample.at))
    rows = []
    for (component, metric), group in groupby(ordered, key=lambda sample: (sample.component, sample.metric)):
        mine = list(group)
        values = [sample.value for sample in mine]
        rows.append(
            {
                "component": component,
                "metric": metric,
                "unit": CATALOGUE[metric].unit,
                "samples": len(mine),
                "start": mine[0].at.isoformat(),
                "end": mine[-1].at.isoformat(),
                "least": min(values),
                "most": max(values),
            }
        )
    return {"rows": rows, "warnings": list(found.warnings), "unused": list(found.unused)}


def show(summary: Mapping[str, Any], *, dry_run: bool) -> None:
    """Print a summary for people."""
    names = ("component", "metric", "samples", "from (UTC)", "to (UTC)", "least", "most")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for row in summary["rows"]:
        ends = [f"{row[key]:.6g} {row['unit']}" for key in ("least", "most")]
        times = [row[key][:16].replace("T", " ") for key in ("start", "end")]
        table.add_row(row["component"], row["metric"], str(row["samples"]), *times, *ends)
    console = Console()
    console.print(table)
    for warning in summary["warnings"]:
        console.print(f"Warning: {warning}.", markup=False)
    if summary["unused"]:
        console.print(f"No row of the mapping speaks of: {', '.join(summary['unused'])}.", markup=False)
    if not summary["rows"]:
        console.print("Nothing in it can be kept: give --map a mapping that names its columns.")
        return
    kept = "kept nothing: --dry-run" if dry_run else "kept" if summary.get("new", True) else "kept before: nothing new"
    console.print(f"{sum(row['samples'] for row in summary['rows'])} samples, {kept}.")
