"""Walks one journey file once, outside any agent: to try a journey, or to look at the application now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector import plugin, secret
from collector.model.errors import WhichlayerError
from collector.model.run import Run
from probes import drivers
from probes.context.access import AccessLabels, detect
from probes.driver import Driver, not_spoken
from probes.journey.file import Journey, load
from probes.walk import Place, walk


def walk_once(
    file: Path,
    *,
    variables: Mapping[str, str],
    references: Mapping[str, str],
    endpoint: str,
    name: str | None,
    settings: Mapping[str, Any],
) -> Run:
    """Load, resolve the secrets (those given, then those of the file), walk with the driver ``name``.

    Without a name it is the first driver that does every step of the journey.

    Raises ConfigError for the file, SecretError for a reference, WhichlayerError for a name the
    journey does not have.
    """
    journey = load(file)
    driver = _speaking(journey, name).configured(settings)
    place = Place(site="here", endpoint=endpoint, access=detect(AccessLabels()), environment="trial")
    secrets = _secrets(journey, references)
    return walk(journey, driver, place, slot=datetime.now(UTC), secrets=secrets, variables=variables)


def _speaking(journey: Journey, name: str | None) -> Driver:
    if name is not None:
        driver = plugin.load(drivers, name, Driver)
        unspoken = not_spoken(driver, journey)
        if unspoken:
            raise WhichlayerError(f"the driver {name} {unspoken}")
        return driver
    for each in plugin.names(drivers):
        driver = plugin.load(drivers, each, Driver)
        if not_spoken(driver, journey) is None:
            return driver
    languages = ", ".join(sorted({step.language for step in journey.steps}))
    raise WhichlayerError(f"no driver does all steps of {journey.name}, which are of {languages}")


def _secrets(journey: Journey, references: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(references) - set(journey.secrets))
    if unknown:
        known = ", ".join(journey.secrets) or "none"
        raise WhichlayerError(f"journey {journey.name} has no secret {', '.join(unknown)}: it has {known}")
    values = {name: secret.resolve(reference) for name, reference in references.items()}
    for name, reference in journey.secrets.items():
        if name not in values and reference is not None:
            values[name] = secret.resolve(reference, base=journey.folder)
    return values
