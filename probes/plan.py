"""What one agent is going to do, read and checked before it does any of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import secret
from collector.model.errors import ConfigError, Mistake, PluginError, SecretError
from collector.plugin import load as load_plugin
from probes import budget, drivers, samplers, walk
from probes import journey as journeys
from probes.driver import Driver, not_spoken
from probes.journey import Journey
from probes.sampler import OpenSampler, Sampler
from probes.settings import AgentSettings, JourneyEntry, SamplerEntry

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
    samplers: tuple[tuple[SamplerEntry, OpenSampler], ...] = ()

    def secrets(self, planned: Planned) -> dict[str, str]:
        """Resolve the secrets of one walk now: a changed password needs no restart. Raises SecretError."""
        return _resolve(planned.entry, planned.journey, self.folder)


def make(site: str, settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool = False) -> Plan:
    """Read every journey and open every sampler. Raises ConfigError with all mistakes at once.

    ``find`` gives a mistake its place in the configuration file. ``with_secrets`` resolves each secret
    as well, to see whether it can be.
    """
    walks, mistakes = _walks(settings, folder, find, with_secrets=with_secrets)
    opened, wrong = _open_samplers(site, settings, find)
    mistakes += wrong
    if with_secrets:
        mistakes += _header_mistakes(settings, folder, find)
    demands = budget.demands([(one.entry, one.journey) for one in walks], settings.budget)
    mistakes += [find(("agent", "budget", one.line), f"budget.{one}") for one in demands if one.exceeds]
    if mistakes:
        for sampler in opened:
            sampler.close()
        raise ConfigError(mistakes)
    pairs = tuple(zip(settings.samplers, opened, strict=True))
    return Plan(site=site, settings=settings, folder=folder, walks=tuple(walks), samplers=pairs)


def _walks(
    settings: AgentSettings, folder: Path, find: Find, *, with_secrets: bool
) -> tuple[list[Planned], list[Mistake]]:
    walks: list[Planned] = []
    mistakes: list[Mistake] = []
    for number, entry in enumerate(settings.journeys):
        spot = ("agent", "journeys", number)
        try:
            driver = load_plugin(drivers, entry.driver, Driver).configured(entry.settings)
            known = journeys.load(entry.file)
        except PluginError as error:
            mistakes.append(find((*spot, "driver"), f"journeys.{number}.driver: {error}"))
        except ConfigError as error:
            mistakes += [_placed(one, find((*spot, "settings"), one.message), entry.file) for one in error.mistakes]
        else:
            walks.append(Planned(entry=entry, journey=known, driver=driver))
            unspoken = not_spoken(driver, known)
            if unspoken:
                mistakes.append(find((*spot, "driver"), f"journeys.{number}.driver: {entry.driver} {unspoken}"))
            wrong = _walk_mistakes(entry, known, folder, with_secrets=with_secrets)
            mistakes += [find((*spot, key), f"journeys.{number}.{what}") for key, what in wrong]
    return walks, mistakes


def _walk_mistakes(
    entry: JourneyEntry, known: Journey, folder: Path, *, with_secrets: bool
) -> Iterator[tuple[str, str]]:
    for key, given, names in (
        ("variables", entry.variables, known.variables),
        ("secrets", entry.secrets, known.secrets),
    ):
        unknown = sorted(set(given) - set(names))
        if unknown:
            yield key, f"{key}: the journey has no {', '.join(unknown)}: it has {', '.join(sorted(names)) or 'none'}"
    if any(step.sign_in for step in known.steps) and entry.account is None:
        yield "account", f"account: is missing: {known.name} signs in, so name the account it uses (never the password)"
    references = {**known.secrets, **entry.secrets}
    stated = {name: "given" for name, reference in references.items() if reference}
    for what in walk.missing(known, secrets=stated, variables=entry.variables):
        yield "file", f"file: {what} of {known.name} has no value: give it in this entry"
    if with_secrets:
        try:
            _resolve(entry, known, folder)
        except SecretError as error:
            yield "secrets", f"secrets: {error}"


def _resolve(entry: JourneyEntry, known: Journey, folder: Path) -> dict[str, str]:
    """Give each secret's value: the entry's reference wins, the journey's own is relative to its file."""
    found = {}
    for name, own in known.secrets.items():
        given = entry.secrets.get(name)
        if given is not None:
            found[name] = secret.resolve(given, base=folder)
        elif own is not None:
            found[name] = secret.resolve(str(own), base=known.folder)
    return found


def _header_mistakes(settings: AgentSettings, folder: Path, find: Find) -> Iterator[Mistake]:
    headers = settings.telemetry.headers if settings.telemetry else {}
    for name, reference in headers.items():
        try:
            secret.resolve(reference, base=folder)
        except SecretError as error:
            yield find(("agent", "telemetry", "headers", name), f"telemetry.headers.{name}: {error}")


def _open_samplers(site: str, settings: AgentSettings, find: Find) -> tuple[list[OpenSampler], list[Mistake]]:
    opened: list[OpenSampler] = []
    mistakes: list[Mistake] = []
    for number, entry in enumerate(settings.samplers):
        spot = ("agent", "samplers", number)
        try:
            kind: Any = load_plugin(samplers, entry.sampler, Sampler)
            opened.append(kind.open(site=site, component=entry.component, settings=entry.settings))
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
