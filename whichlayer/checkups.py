"""What ``whichlayer doctor`` asks the drivers, and how it prints their answers."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.text import Text

from collector import plugin
from collector.model.errors import PluginError
from probes import drivers
from probes.checkup import Checkup, Patient
from probes.driver import Driver
from whichlayer.probe_checkups import ExaminedProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One driver; without ``checkup`` it could not be asked, and ``problem`` says why."""

    driver: str
    languages: tuple[str, ...] = ()
    checkup: Checkup | None = None
    problem: str | None = None

    @property
    def ready(self) -> bool | None:
        """Say whether it can be used here; None when it does not say what it needs."""
        if self.checkup is None:
            return False if self.problem else None
        return not self.checkup.missing


def examine(name: str = "") -> list[Examined]:
    """Ask one driver, or every driver there is. Raises PluginError for a name there is no driver of."""
    if name:
        plugin.load(drivers, name, Driver)
    return [_examined(each) for each in ((name,) if name else plugin.names(drivers))]


def _examined(name: str) -> Examined:
    try:
        driver = plugin.load(drivers, name, Driver)
    except PluginError as error:
        return Examined(driver=name, problem=str(error))
    checkup = driver.doctor() if isinstance(driver, Patient) else None
    return Examined(driver=name, languages=tuple(sorted(driver.languages)), checkup=checkup)


def print_json(found: Sequence[Examined], probes: Sequence[ExaminedProbe] = ()) -> None:
    """Print drivers and probes for machines; ``ready`` is null when a driver does not say what it needs."""
    drivers_said = [{"ready": one.ready, **asdict(one)} for one in found]
    probes_said = [{"ready": one.ready, **asdict(one)} for one in probes]
    json.dump(drivers_said + probes_said, sys.stdout, indent=1)
    sys.stdout.write("\n")


def print_words(found: Sequence[Examined]) -> None:
    """Print a paragraph for each driver."""
    console = Console(highlight=False)
    for one in found:
        state = {True: "ready", False: "not ready", None: "says nothing of itself"}[one.ready]
        steps = f" (steps with {', '.join(one.languages)})" if one.languages else ""
        console.print(Text(f"{one.driver}: {state}{steps}", style="bold"))
        if one.problem:
            console.print(Text(f"  {one.problem}"))
        if one.checkup is not None:
            _print_checkup(console, one.checkup)


def _print_checkup(console: Console, checkup: Checkup) -> None:
    for need in checkup.needs:
        if need.found is not None:
            console.print(Text(f"  {need.name} {need.found}: {need.purpose}"))
        else:
            lacking = "is not here (some journeys need it)" if need.optional else "is missing"
            console.print(Text(f"  {need.name} {lacking}, which {need.purpose}: {need.install}"))
    if checkup.noise_floor_seconds is not None:
        floor = f"{checkup.noise_floor_seconds * 1e3:.3g} ms"
        console.print(Text(f"  noise floor ± {floor} ({checkup.noise_floor_of})"))
