"""What an import would keep, or kept: one line for each metric of each component, for people and for machines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.importer import NOT_SAID, Asked, Imported
from collector.model.access import Access, Link, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.checks import NAME
from collector.model.host_event import HostEvent
from collector.model.metric import Metric
from collector.model.plausible import surprise
from collector.model.run import Outcome, Run
from collector.model.sample import Sample
from collector.model.unit import factor
from collector.pseudonym import Pseudonyms


def asked(site: str, *, zone: str | None, endpoint: str | None, **given: Any) -> Asked:  # noqa: ANN401  as Asked has them
    """Put the options together. Raises BadParameter."""
    if endpoint is not None and not NAME.fullmatch(endpoint):
        raise typer.BadParameter("write a name of lower-case letters, digits, '.', '_' or '-'", param_hint="--endpoint")
    try:
        return Asked(site=site, zone=ZoneInfo(zone) if zone else None, endpoint=endpoint, **given)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter("write one like Europe/London", param_hint="--zone") from None


def held(written: Sequence[str]) -> dict[str, str]:
    """Read ``USER=ENDPOINT`` of each. Raises BadParameter."""
    found = {}
    for one in written:
        user, _, endpoint = one.rpartition("=")
        if not user or not NAME.fullmatch(endpoint):
            raise typer.BadParameter("write USER=ENDPOINT, for example COUNCIL\\probe-3=ward-3-pc", param_hint="--held")
        found[user] = endpoint
    return found


def pseudonyms(data: Path | None) -> Callable[[], Pseudonyms]:
    """Use the key of the site, once a name is met; without a data folder one that nobody keeps."""
    return cache(Pseudonyms.passing if data is None else partial(Pseudonyms.of_site, data))


def access(link: Link | None, presentation: Presentation | None) -> Access:
    """Give what was said of the access: what was not is unknown."""
    if link is None and presentation is None:
        return NOT_SAID
    said = "said at the import"
    return Access(
        link=link or Link.UNKNOWN,
        presentation=presentation or Presentation.UNKNOWN,
        link_source=said if link else NOT_SAID.link_source,
        presentation_source=said if presentation else NOT_SAID.presentation_source,
        confidence=1.0 if link and presentation else 0.0,
    )


def summary(found: Imported) -> dict[str, Any]:
    """Give what was read as JSON has it.

    ``rows`` have component, metric, unit, count, first, last, least and most; the last two in the file's unit as well,
    where it says one. A value that cannot be in its unit is among ``warnings``.
    """
    ordered = sorted(found.facts.samples, key=lambda sample: (sample.component, sample.metric, sample.at))
    rows, surprises = [], dict[str, None]()
    for (component, metric), group in groupby(ordered, key=lambda sample: (sample.component, sample.metric)):
        mine = list(group)
        rows.append(_row(component, CATALOGUE[metric], mine, found.units.get(metric)))
        if what := surprise(CATALOGUE[metric], [sample.value for sample in mine]):
            surprises[f"unit surprise: {what} on {component}; is its unit in the mapping right?"] = None
    preview = [list(row) for row in found.preview]
    warnings = [f"{what}." for what in found.warnings] + list(surprises)
    said = {"warnings": warnings, "unused": list(found.unused), "preview": preview}
    events = _events(found.facts.host_events)
    return {"rows": rows, "journeys": _journeys(found.facts.runs), "events": events, **said}


def _events(events: Sequence[HostEvent]) -> list[dict[str, Any]]:
    """Give what each machine's log says, how often, when, and how many of it are of probes' sessions."""
    rows = []
    for (host, said, cause), group in groupby(sorted(events, key=_saying), key=_saying):
        mine = list(group)
        rows.append(
            {
                "host": host,
                "said": said,
                "cause": cause or None,
                "events": len(mine),
                "start": mine[0].at.isoformat(),
                "end": mine[-1].at.isoformat(),
                "held_by": sorted({event.endpoint for event in mine if event.endpoint}),
            }
        )
    return rows


def _saying(event: HostEvent) -> tuple[str, str, str]:
    return event.host, event.said, str(event.cause or "")


def _journeys(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Give the runs of each journey: how many, how many failed, when, and what its steps are."""
    rows = []
    for journey, group in groupby(
        sorted(runs, key=lambda run: (run.journey, run.started_at)), key=lambda run: run.journey
    ):
        mine = list(group)
        rows.append(
            {
                "journey": journey,
                "endpoint": mine[0].endpoint,
                "access": str(mine[0].access.population),
                "runs": len(mine),
                "failed": sum(run.outcome is Outcome.FAILED for run in mine),
                "start": mine[0].started_at.isoformat(),
                "end": mine[-1].started_at.isoformat(),
                "steps": sorted({step.step for run in mine for step in run.steps}),
            }
        )
    return rows


def _row(component: str, metric: Metric, samples: Sequence[Sample], written: str | None) -> dict[str, Any]:
    least, most = (choose(sample.value for sample in samples) for choose in (min, max))
    row = {
        "component": component,
        "metric": metric.name,
        "unit": metric.unit,
        "samples": len(samples),
        "start": samples[0].at.isoformat(),
        "end": samples[-1].at.isoformat(),
        "least": least,
        "most": most,
    }
    if written is None:
        return row
    size = factor(written, metric.unit)
    return row | {"written_unit": written, "written_least": least / size, "written_most": most / size}


def show(summary: Mapping[str, Any], *, dry_run: bool) -> None:
    """Print a summary for people; at 80 columns no number is folded."""
    console = Console()
    if summary["preview"]:
        console.print("Its headings and first rows:")
        for row in summary["preview"]:
            console.print(f"  {' | '.join(row)}", markup=False, highlight=False, no_wrap=True, overflow="ellipsis")
    if summary["rows"]:
        console.print(_table(summary["rows"]))
    if summary["journeys"]:
        console.print(_walked(summary["journeys"]))
    for line in _logged(summary["events"]):
        console.print(line, markup=False, highlight=False)
    for warning in summary["warnings"]:
        console.print(f"Warning: {warning}", markup=False)
    if summary["unused"]:
        console.print(f"No row of the mapping speaks of: {', '.join(summary['unused'])}.", markup=False)
    console.print(_closing(summary, dry_run=dry_run))


def _closing(summary: Mapping[str, Any], *, dry_run: bool) -> str:
    kept = "kept nothing: --dry-run" if dry_run else "kept" if summary.get("new", True) else "kept before: nothing new"
    kinds = (("runs", "journeys"), ("events", "events"), ("samples", "rows"))
    counts = {what: sum(row[what] for row in summary[rows]) for what, rows in kinds}
    found = [f"{count} {what}" for what, count in counts.items() if count]
    if not found:
        return "Nothing in it can be kept: give --map a mapping that names its columns."
    return f"{', '.join(found)}, {kept}."


def _logged(events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in events:
        times = " to ".join(row[key][:16].replace("T", " ") for key in ("start", "end"))
        probes = f"; held from {', '.join(row['held_by'])}" if row["held_by"] else ""
        yield f"{row['host']}: {row['events']} × {row['said']}, {times}{probes}"


def _walked(journeys: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("journey: steps", overflow="fold")
    for name in ("runs", "failed", "from, to (UTC)"):
        table.add_column(name, no_wrap=True, justify="left" if "UTC" in name else "right")
    for row in journeys:
        times = "\n".join(row[key][:16].replace("T", " ") for key in ("start", "end"))
        where = f"{row['journey']}: {', '.join(row['steps'])}\n{row['endpoint']}, {row['access']}"
        table.add_row(Text(where), str(row["runs"]), str(row["failed"]), times)
    return table


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Two lines for each metric of a component: names, times and values stand above each other."""
    written = any("written_unit" in row for row in rows)
    names = ["samples", "from, to (UTC)", "least, most", *(["in the file"] if written else [])]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("component, metric", overflow="fold")
    for name in names:
        table.add_column(name, no_wrap=True, justify="left" if "UTC" in name else "right")
    for row in rows:
        times = "\n".join(row[key][:16].replace("T", " ") for key in ("start", "end"))
        cells = [str(row["samples"]), times, _ends(row, "", row["unit"])]
        if written:
            cells.append(_ends(row, "written_", row["written_unit"]) if "written_unit" in row else "")
        table.add_row(Text(f"{row['component']}\n{row['metric']}"), *cells)
    return table


def _ends(row: Mapping[str, Any], which: str, unit: str) -> str:
    shown = "" if unit == "1" else f" {unit}"
    return "\n".join(f"{row[which + key]:.4g}{shown}" for key in ("least", "most"))
