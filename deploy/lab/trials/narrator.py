"""Tells people what goes on in the demo; when blind, the truth comes at the end."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from collector.model.verdict import Verdict
from dashboards import wording
from deploy.lab.rules.judge import Said
from deploy.lab.site import Site
from deploy.lab.trials.scenario import Planned
from deploy.lab.trials.trial import Trial
from deploy.lab.world import URL

_TELL_EVERY = 30.0  # seconds
_EVIDENCE = 3
_BEHIND = 60.0  # seconds


@dataclass(slots=True)
class Spoken:
    """Speaks to a terminal or a log, on standard output or, with ``on_stderr``, beside the results."""

    blind: bool = False
    on_stderr: bool = False
    listed: str = "fault"
    _console: Console = field(init=False)

    def __post_init__(self) -> None:
        self._console = Console(file=sys.stderr if self.on_stderr else sys.stdout, highlight=False)

    def building(self) -> None:
        """Say that the world is being built."""
        self._say("Building a world: an application on PostgreSQL, a cable, a WiFi link, a volume …")

    def watching(self, site: Site) -> None:
        """Say where the pages are."""
        self._say(f"whichlayer is watching. Its pages: [bold]{site.url}[/bold]")
        for name, problem in site.skipped.items():
            self._say(f"Skipped: {name}, since {problem}.", style="yellow")

    def learning(self) -> Callable[[float, float], None]:
        """Say how long learning takes, and now and then how long it still takes."""
        told = float("inf")

        def progress(gone: float, whole: float) -> None:
            nonlocal told
            left = whole - gone
            if told - left >= _TELL_EVERY:
                told = left
                self._say(f"Learning how fast it usually is: {left:.0f} s left.", style="dim")

        return progress

    def remark(self, text: str) -> None:
        """Say what is not as it should be."""
        self._say(f"Note: {text}.", style="yellow")

    def beginning(self, number: int, planned: Planned) -> None:
        """Announce what happens; blind, only that something does."""
        since = ", before whichlayer has seen a single run" if planned.scenario.from_start else ""
        what = "something happens" if self.blind else f"{planned.name}: {planned.scenario.words}{since}"
        self._console.rule(f"{number}. {what}", align="left")

    def judged(self, trial: Trial) -> None:
        """Say what whichlayer said, and beside it the truth."""
        if trial.skipped is not None:
            self._say(f"Skipped: {trial.skipped}. This is not a pass.", style="yellow")
            return
        if trial.verdict is None:
            self._say("whichlayer blames nobody.")
        else:
            after = "At last" if trial.seconds is None else f"After {trial.seconds:.0f} s"
            self._say(f"{after} whichlayer says: {wording.sentence(trial.verdict)}")
            for line in _evidence(trial.verdict):
                self._say(f"  · {line}", style="dim")
            for other in _others(trial):
                self._say(f"And: {wording.sentence(other)}")
        if trial.late is not None and trial.late > _BEHIND:
            self.remark(f"the analysis was {trial.late:.0f} s behind: this machine is too busy to judge anybody")
        if trial.rules is not None:
            self._say(f"The alert rules beside say: {_fired(trial.rules)}.")
        if not self.blind:
            self._say(f"The truth: {_truth(trial)}. [bold]{_mark(trial)}[/bold]")

    def kept(self, site: Site) -> None:
        """Say how to look around."""
        enter = " ".join(site.world.namespaces["wired"].enter())
        self._say(f"Left running until Ctrl-C. Pages: {site.url}")
        self._say(f"Application, as seen over the cable: {enter} curl -i {URL}/login")
        self._say(f"Logs and data: {site.world.directory}")

    def summary(self, trials: Sequence[Trial], seed: int) -> None:
        """Say it all again, side by side."""
        table = Table(self.listed, "truth", "whichlayer said", "after", "")
        for trial in trials:
            seconds = "" if trial.seconds is None else f"{trial.seconds:.0f} s"
            table.add_row(trial.name, _truth(trial), _said(trial), seconds, _mark(trial))
        self._console.print(table)
        self._say(f"Seed: {seed}")

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, soft_wrap=True)


def _truth(trial: Trial) -> str:
    layers = [wording.layer(truth.layer, link=truth.link) for truth in trial.truths]
    return f"{' and '.join(layers) or 'nobody is to blame'} ({trial.words})"


def _said(trial: Trial) -> str:
    if trial.skipped is not None:
        return f"skipped: {trial.skipped}"
    if trial.verdict is None:
        return "nothing"
    if not trial.verdict.blamed:
        return f"{trial.verdict.step} is {trial.verdict.status}, without blame"
    if len(trial.truths) > 1:
        named = [wording.layer(truth.layer, link=truth.link) for truth in trial.truths if truth in trial.named]
        return " and ".join([*named, *(wording.layer(layer, link=None) for layer in trial.strangers)])
    return wording.layer(trial.verdict.blamed[0].layer, link=trial.verdict.population.link)


def _fired(rules: Said) -> str:
    said = (f"{one.layer.replace('_', ' ')} after {one.seconds:.0f} s ({one.alert})" for one in rules.answers)
    return ", ".join(said) or "nothing"


def _mark(trial: Trial) -> str:
    if trial.skipped is not None:
        return "skipped"
    return "right" if trial.right else "WRONG"


def _evidence(verdict: Verdict) -> list[str]:
    return [one.text for layer in verdict.blamed[:1] for one in layer.evidence_for[:_EVIDENCE]]


def _others(trial: Trial) -> list[Verdict]:
    """Give, where several are to blame, the first verdict of each layer that the first one does not blame."""
    found: list[Verdict] = []
    said = {layer.layer for layer in trial.verdicts[0].blamed}
    for verdict in trial.verdicts if len(trial.truths) > 1 else ():
        new = {layer.layer for layer in verdict.blamed} - said
        if new:
            found.append(verdict)
            said |= new
    return found
