"""One run as a table for people: each step with its outcome, time, phases and a bar of them."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from collector.model.access import Access
from collector.model.run import MEASURED, Outcome, Phase, Run, StepTiming

BAR_WIDTH = 40

# A sign and a colour for each phase: the bar can be read without colours too.
_PHASES: dict[Phase, tuple[str, str]] = {
    Phase.RESOLVE: ("░", "cyan"),
    Phase.CONNECT: ("▒", "blue"),
    Phase.TLS: ("▓", "magenta"),
    Phase.PROCESSING: ("█", "yellow"),
    Phase.TRANSFER: ("▄", "green"),
    Phase.RENDER: ("▀", "bright_blue"),
    Phase.LAUNCH: ("▖", "bright_cyan"),
    Phase.PIXELS: ("▗", "bright_green"),
    Phase.READY: ("▝", "bright_yellow"),
    Phase.DISPLAY: ("▌", "bright_magenta"),
    Phase.IDENTITY: ("◆", "bright_red"),
    Phase.SPOOL: ("▐", "white"),
}
_OUTCOMES = {Outcome.OK: "green", Outcome.SLOW: "yellow", Outcome.NOT_READY: "cyan", Outcome.BROKEN: "magenta"}


def table(run: Run) -> RenderableType:
    """Render one run; a run of any driver, also one that stopped at its first step."""
    longest = max((step.seconds or 0.0 for step in run.steps), default=0.0)
    rows = Table(box=None, pad_edge=False, header_style="bold")
    rows.add_column("step", overflow="fold")
    rows.add_column("outcome")
    rows.add_column("seconds", justify="right", no_wrap=True)
    rows.add_column("phases in ms", overflow="fold")
    for step in run.steps:
        rows.add_row(
            Text(step.step), _outcome(step.outcome), _seconds(step), Group(_bar(step, longest), Text(_phases(step)))
        )
    return Group(_title(run), _access(run.access), rows, *_notes(run), _legend(run.steps))


def _title(run: Run) -> Text:
    facts = "".join(f", {name} {value}" for name, value in run.facts.items())
    whole = f"{run.seconds:.3f} s" if run.seconds is not None else "nothing timed"
    where = f"{run.endpoint}, {run.access.population}"
    return Text(f"{run.journey} ({run.journey_hash}) at {where}: {run.outcome}, {whole}{facts}", style="bold")


def _access(access: Access) -> Text:
    """Say how it is known by which way the run went."""
    return Text(f"link: {access.link_source}; presentation: {access.presentation_source}", style="dim")


def _outcome(outcome: Outcome) -> Text:
    return Text(str(outcome), style=_OUTCOMES.get(outcome, "red"))


def _seconds(step: StepTiming) -> str:
    if step.seconds is None:
        return "–"
    if step.censored:
        return f"≥ {step.seconds:.3f}"
    uncertainty = f" ± {step.uncertainty_seconds:.3f}" if step.uncertainty_seconds is not None else ""
    return f"{step.seconds:.3f}{uncertainty}"


def _phases(step: StepTiming) -> str:
    """Write the phases in milliseconds; the server's own account, which lies inside processing, in brackets."""
    own = [f"{phase} {1000 * seconds:.1f}" for phase, seconds in step.phases.items() if phase in _PHASES]
    server = [
        f"{phase.removeprefix('server_')} {1000 * seconds:.1f}"
        for phase, seconds in step.phases.items()
        if phase not in _PHASES
    ]
    return ", ".join(own) + (f" (server: {', '.join(server)})" if server else "")


def _bar(step: StepTiming, longest: float) -> Text:
    bar = Text()
    if not longest or step.seconds is None:
        return bar
    done = 0.0
    for phase, (sign, colour) in _PHASES.items():
        seconds = step.phases.get(phase, 0.0)
        begin, done = round(BAR_WIDTH * done / longest), done + seconds
        bar.append(sign * (round(BAR_WIDTH * done / longest) - begin), style=colour)
    rest = round(BAR_WIDTH * step.seconds / longest) - len(bar)
    bar.append("·" * max(0, rest), style="dim")
    return bar


def _notes(run: Run) -> Iterable[Text]:
    for step in run.steps:
        if step.outcome not in MEASURED:
            yield Text(f"{step.step}: {step.error or step.outcome}", style="red")
        elif step.outcome is Outcome.SLOW and step.target_seconds is not None:
            yield Text(f"{step.step}: over its target of {step.target_seconds:g} s", style="yellow")
        if step.outcome in MEASURED and step.error:  # went well, and something has to be said of it
            yield Text(f"{step.step}: {step.error}", style="yellow")


def _legend(steps: Iterable[StepTiming]) -> Text:
    legend = Text()
    used = {phase for step in steps for phase in step.phases}
    for phase, (sign, colour) in _PHASES.items():
        if phase in used:
            legend.append(f"{sign} ", style=colour).append(f"{phase}  ", style="dim")
    return legend.append("· not in any phase", style="dim") if used else legend
