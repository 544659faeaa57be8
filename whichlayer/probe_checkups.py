"""What ``whichlayer doctor`` finds of the active probes a configuration names: could each run here, and if not, why.

Each is tried once as it would be read, under another component's name, so that a running agent is not disturbed; one
that signs in goes as far as the server's certificate. Nothing is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from collector import plugin
from collector.model.errors import ConfigError, PluginError
from probes import samplers
from probes.agent import budget, sign_in
from probes.agent.settings import AgentSettings, SamplerEntry
from probes.journey import file as journeys
from probes.sampler import Active, Hindered, Sampler
from whichlayer.settings import load

_DOCTORS = ".doctor"
_LONGEST = 90  # characters of a component that leave room for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedProbe:
    """One active probe. It could run here when nothing hinders it."""

    sampler: str
    component: str
    hindrances: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Say whether it could run here."""
        return not self.hindrances


def examine(config: Path) -> list[ExaminedProbe]:
    """Try every active probe that ``config`` names. Raises ConfigError when it cannot be read."""
    settings = load(config)
    if settings.agent is None:
        return []
    found = (
        _examined(settings.agent, entry, settings.site, config.absolute().parent) for entry in settings.agent.samplers
    )
    return [one for one in found if one is not None]


def _examined(settings: AgentSettings, entry: SamplerEntry, site: str, folder: Path) -> ExaminedProbe | None:
    """Give None for a sampler that only looks."""
    try:
        kind = plugin.load(samplers, entry.sampler, Sampler)
    except PluginError as error:
        return ExaminedProbe(sampler=entry.sampler, component=entry.component, hindrances=(str(error),))
    if not isinstance(kind, Active):
        return None
    told = [what for _, what in sign_in.mistakes(entry, kind, folder, with_secrets=True)]
    told += _beyond_budget(settings) if entry.account else []
    told += _tried(entry, kind, site)
    return ExaminedProbe(sampler=entry.sampler, component=entry.component, hindrances=tuple(told))


def _tried(entry: SamplerEntry, kind: Sampler, site: str) -> Sequence[str]:
    try:
        opened = kind.open(site=site, component=entry.component[:_LONGEST] + _DOCTORS, settings=entry.settings)
    except ConfigError as error:
        return [f"settings: {one.message}" for one in error.mistakes]
    try:
        return opened.hindrances() if isinstance(opened, Hindered) else []
    finally:
        opened.close()


def _beyond_budget(settings: AgentSettings) -> Iterator[str]:
    """Say what of the sign-ins is not allowed, all that can be read of the plan together."""
    walks = [(entry, known) for entry in settings.journeys if (known := _read(entry.file)) is not None]
    held = [(entry, known) for entry in settings.sessions if (known := _read(entry.file)) is not None]
    for one in budget.demands(walks, settings.budget, held, settings.samplers):
        if one.exceeds and one.line == "logons_per_hour":
            yield f"budget.{one}; sign in less often, or allow more"


def _read(file: Path) -> journeys.Journey | None:
    try:
        return journeys.load(file)
    except ConfigError:
        return None  # `whichlayer agent check` says what is wrong with it


def print_words(found: Sequence[ExaminedProbe]) -> None:
    """Print a paragraph for each probe."""
    console = Console(highlight=False)
    for one in found:
        state = "could run here" if one.ready else "could not run here"
        console.print(Text(f"{one.sampler} of {one.component}: {state}", style="bold"))
        for what in one.hindrances:
            console.print(Text(f"  {what}"))
