"""One run's story for a terminal and for machines; the same facts as the page ``/runs/<run id>``."""

from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.model.catalogue import CATALOGUE
from collector.model.run import Outcome
from dashboards import quantity, wording
from dashboards.clock import Clock, utc
from dashboards.facts.around import parts
from dashboards.facts.walk import Story, account
from dashboards.web.drawing import phase_words


def as_document(story: Story) -> Mapping[str, object]:
    """Give the story as plain JSON values; times in UTC, durations in seconds, absent values left out."""
    return {
        "run": _plain(story.run) | {"facts": dict(story.facts)},
        "slot": utc(story.slot),
        "started_at": utc(story.started_at),
        "steps": [_plain(step) | {"server_account": account(step) or None} for step in story.steps],
        "kept": {"state": "spool" if story.committed is None else "lake", "snapshot": story.committed},
        "samples": [_plain(sample) | {"at": utc(_time(sample))} for sample in story.samples],
        "verdicts": [
            {"id": v.id, "version": v.version, "status": str(v.status), "step": v.step, "sentence": wording.sentence(v)}
            for v in story.verdicts
        ],
    }


def show(story: Story, console: Console, clock: Clock) -> None:
    """Print the story, station by station."""
    run = story.run
    console.print(f"[bold]Run {escape(str(run['run_id']))}[/bold] of {escape(str(run['journey']))}")
    for name, value in _plan(story, clock):
        console.print(f"  {name:<10} {escape(value)}", highlight=False, soft_wrap=True)
    console.print(_steps(story))
    kept = (
        "in the spool, not yet in the lake" if story.committed is None else f"in the lake, snapshot {story.committed}"
    )
    console.print(f"[bold]Kept[/bold] {kept}", highlight=False)
    console.print(_samples(story, clock) if story.samples else "No samples within a minute of the run.")
    console.print("[bold]Counted in[/bold]" if story.verdicts else "Counted in no verdict so far.")
    for verdict in story.verdicts:
        console.print(f"  {escape(wording.sentence(verdict, clock))}  ({verdict.id})", highlight=False, soft_wrap=True)


def _plan(story: Story, clock: Clock) -> list[tuple[str, str]]:
    run = story.run
    known = [run[name] or "how it is known was not said" for name in ("link_source", "presentation_source")]
    access = f"{run['link']} ({known[0]}), {run['presentation']} ({known[1]})"
    return [
        ("journey", f"{run['journey']}, file {run['journey_hash']}"),
        ("endpoint", f"{run['endpoint']} at {run['site']}, {run['environment']}"),
        ("access", access),
        ("slot", f"{clock.exact(story.slot)} {clock.name(story.slot)}"),
        ("started", f"{clock.exact(story.started_at)}, attempt {run['attempt']}, driver {run['driver'] or 'not said'}"),
        ("outcome", wording.OUTCOME[Outcome(str(run["outcome"]))]),
        *((name, value) for name, value in story.facts.items()),
    ]


def _steps(story: Story) -> Table:
    table = Table(title="Steps", title_justify="left", title_style="bold")
    for name in ("step", "outcome", "duration", "phases", "note"):
        table.add_column(name)
    for step in story.steps:
        cut = ", ".join(f"{phase_words(name)} {quantity.seconds(value)}" for name, value in parts(step).items())
        said = account(step)
        cut += f" (server's parts from {said})" if said else ""
        note = escape(str(step["error"] or ""))
        outcome = wording.OUTCOME[Outcome(str(step["outcome"]))]
        table.add_row(str(step["step"]), outcome, _duration(step), cut, note)
    return table


def _duration(step: Mapping[str, object]) -> str:
    seconds = step["seconds"]
    if not isinstance(seconds, float):
        return "not timed"
    uncertainty = step["uncertainty_seconds"]
    text = f"{'≥ ' if step['censored'] else ''}{quantity.seconds(seconds)}"
    return f"{text} ± {quantity.seconds(uncertainty)}" if isinstance(uncertainty, float) else text


def _samples(story: Story, clock: Clock) -> Table:
    table = Table(title="Measured beside it", title_justify="left", title_style="bold")
    for name in ("layer", "component", "metric", "value", "time"):
        table.add_column(name)
    for sample in story.samples:
        known = CATALOGUE.get(str(sample["metric"]))
        value = sample["value"]
        shown = quantity.with_unit(value, known.unit if known else None) if isinstance(value, float) else ""
        words = [escape(str(sample[name])) for name in ("layer", "component", "metric")]
        table.add_row(*words, shown, clock.exact(_time(sample)))
    return table


def _time(sample: Mapping[str, object]) -> datetime:
    at = sample["at"]
    assert isinstance(at, datetime)
    return at


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in row.items() if value is not None and isinstance(value, str | int | float)}
    return {name: value for name, value in kept.items() if name != "facts"}
