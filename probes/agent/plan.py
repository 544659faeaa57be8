"""What one agent is going to do, read and checked before it does any of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import secret
from collector.model.errors import ConfigError, Mistake, PluginError, SecretError
from collector.plugin import load as load_plugin
from probes import drivers, samplers
from probes.agent import budget, sign_in
from probes.agent.settings import AgentSettings, JourneyEntry, SamplerEntry
from probes.driver import Driver, not_spoken
from probes.journey import file as journeys
from probes.journey import use
from probes.journey.file import Journey
from probes.journey.use import JourneyUse
from probes.sampler import Opened, Sampler
from probes.sessions.plan import PlannedSession

Location = Sequence[str | int]
Find = Callable[[Location, str], Mistake]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One entry of the plan with the journey it names and the driver that walks it."""

    entry: JourneyEntry
    journey: Journey
    driver: Driver

    @property
    def longest_seconds(self) -> float:
        """The longest one walk can take: all timeouts, also of reading back, all pauses, and a minute for the rest."""
        steps = self.journey.steps
        timeouts = sum(step.timeout * (2 if step.verify_saved else 1) for step in steps)
        return min(timeouts + sum(step.think for step in steps) + 60.0, 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The checked plan of one agent of ``site``; secrets are still references, relative to ``folder``."""

    site: str
    settings: AgentSettings
    folder: Path
    walks: tuple[Planned, ...] = ()
    sessions: tuple[PlannedSession, ...] = ()
    samplers: tuple[tuple[SamplerEntry, Opened], ...] = ()

    def secrets(self, planned: Planned | PlannedSession) -> dict[str, str]:
        """Resolve the secrets of one log-on now: a changed password needs no restart. Raises SecretError."""
        return use.resolve(planned.entry, planned.journey, self.folder)

    def demands(self) -> list[budget.Demand]:
        """Add up what the whole plan asks of the system."""
        walks = [(one.entry, one.journey) for one in self.walks]
        sessions = [(one.entry, one.journey) for one in self.sessions]
        return budget.demands(walks, self.settings.budget, sessions, self.settings.samplers)


def make(site: str, settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool = False) -> Plan:
    """Read every journey and open every sampler. Raises ConfigError with all mistakes at once.

    ``find`` gives a mistake its place in the configuration file. ``with_secrets`` resolves each secret
    as well, to see whether it can be.
    """
    walks, mistakes = _walks(settings, folder, find, with_secrets=with_secrets)
    sessions, wrong = _sessions(settings, folder, find, with_secrets=with_secrets)
    mistakes += wrong
    opened, wrong = _open_samplers(site, settings, folder, find, with_secrets=with_secrets)
    mistakes += wrong
    if with_secrets:
        mistakes += _header_mistakes(settings, folder, find)
    plan = Plan(
        site=site,
        settings=settings,
        folder=folder,
        walks=tuple(walks),
        sessions=tuple(sessions),
        samplers=tuple(zip(settings.samplers, opened, strict=False)),
    )
    mistakes += [find(("agent", "budget", one.line), f"budget.{one}") for one in plan.demands() if one.exceeds]
    if mistakes:
        for sampler in opened:
            sampler.close()
        raise ConfigError(mistakes)
    return plan


def _walks(
    settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool
) -> tuple[list[Planned], list[Mistake]]:
    walks: list[Planned] = []
    mistakes: list[Mistake] = []
    for number, entry in enumerate(settings.journeys):
        read, wrong = _read(entry, ("agent", "journeys", number), folder, find, with_secrets=with_secrets)
        mistakes += wrong
        if read is not None:
            walks.append(Planned(entry=entry, journey=read[0], driver=read[1]))
    return walks, mistakes


def _sessions(
    settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool
) -> tuple[list[PlannedSession], list[Mistake]]:
    sessions: list[PlannedSession] = []
    mistakes: list[Mistake] = []
    used = (settings.journeys, settings.sessions, settings.samplers)
    others = Counter(entry.account for entries in used for entry in entries)
    for number, entry in enumerate(settings.sessions):
        spot = ("agent", "sessions", number)
        read, wrong = _read(entry, spot, folder, find, with_secrets=with_secrets)
        mistakes += wrong
        if others[entry.account] > 1:
            words = (
                f"account: {entry.account} is held all day by this session, so nothing else can use it: take another"
            )
            mistakes.append(find((*spot, "account"), f"sessions.{number}.{words}"))
        if read is not None:
            session = PlannedSession(entry=entry, journey=read[0], driver=read[1])
            sessions.append(session)
            mistakes += [find((*spot, *key), f"sessions.{number}.{what}") for key, what in session.mistakes()]
    return sessions, mistakes


def _read(
    entry: JourneyUse, spot: Location, folder: Path, find: Find, *, with_secrets: bool
) -> tuple[tuple[Journey, Driver] | None, list[Mistake]]:
    """Load the journey and the driver of one entry, and check them against it."""
    named = f"{spot[1]}.{spot[2]}"
    try:
        driver = load_plugin(drivers, entry.driver, Driver).configured(entry.settings)
        known = journeys.load(entry.file)
    except PluginError as error:
        return None, [find((*spot, "driver"), f"{named}.driver: {error}")]
    except ConfigError as error:
        outer = [find((*spot, "settings"), one.message) for one in error.mistakes]
        return None, [_placed(one, at, entry.file) for one, at in zip(error.mistakes, outer, strict=True)]
    mistakes = []
    unspoken = not_spoken(driver, known)
    if unspoken:
        mistakes.append(find((*spot, "driver"), f"{named}.driver: {entry.driver} {unspoken}"))
    wrong = use.mistakes(entry, known, folder, with_secrets=with_secrets)
    mistakes += [find((*spot, key), f"{named}.{what}") for key, what in wrong]
    return (known, driver), mistakes


def _header_mistakes(settings: AgentSettings, folder: Path, find: Find) -> Iterator[Mistake]:
    headers = settings.telemetry.headers if settings.telemetry else {}
    for name, reference in headers.items():
        try:
            secret.resolve(reference, base=folder)
        except SecretError as error:
            yield find(("agent", "telemetry", "headers", name), f"telemetry.headers.{name}: {error}")


def _open_samplers(
    site: str, settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool
) -> tuple[list[Opened], list[Mistake]]:
    opened: list[Opened] = []
    mistakes: list[Mistake] = []
    for number, entry in enumerate(settings.samplers):
        spot = ("agent", "samplers", number)
        try:
            kind: Any = load_plugin(samplers, entry.sampler, Sampler)
            opened.append(kind.open(site=site, component=entry.component, settings=entry.settings))
            wrong = sign_in.mistakes(entry, kind, folder, with_secrets=with_secrets)
            mistakes += [find((*spot, key), f"samplers.{number}.{what}") for key, what in wrong]
        except PluginError as error:
            mistakes.append(find((*spot, "sampler"), f"samplers.{number}.sampler: {error}"))
        except ConfigError as error:
            mistakes += [
                _placed(one, find((*spot, "settings"), f"samplers.{number}.settings.{one.message}"))
                for one in error.mistakes
            ]
    return opened, mistakes


def _placed(inner: Mistake, outer: Mistake, journey_file: Path | None = None) -> Mistake:
    """Keep a mistake of a journey file as it is; give one of a plug-in's settings the file it stands in."""
    if journey_file is not None and inner.file == str(journey_file):
        return inner
    line, column = (inner.line, inner.column) if inner.line > 1 else (outer.line, outer.column)
    return Mistake(file=outer.file, line=line, column=column, message=outer.message)
