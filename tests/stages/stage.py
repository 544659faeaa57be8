"""What a driver walks in the behaviour suite of its contract: one module of this folder per driver, of its name.

A module has ``serving()``, a context manager that gives a ``Stage``: something real on loopback that
the driver's own journey can be walked against.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest

from collector import plugin
from probes import drivers
from probes.driver import Driver
from probes.journey.file import Journey


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A journey and what it is walked against.

    ``nowhere`` are variables that lead to nothing that answers. ``acted`` counts what was written or
    printed; ``hide_safe_record`` takes the safe record away: both None when the journey only reads.
    ``behind_sign_in`` is a step that fails before the journey's first one was walked.
    """

    journey: Journey
    variables: Mapping[str, str]
    nowhere: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    acted: Callable[[], int] | None = None
    hide_safe_record: Callable[[], None] | None = None
    behind_sign_in: str | None = None

    def driver(self, name: str) -> Driver:
        """Give the driver as an endpoint here would have it."""
        return plugin.load(drivers, name, Driver).configured(self.settings)


def module_of(driver: str) -> Any:
    """Find the stage of a driver; every driver has one."""
    try:
        return import_module(f"tests.stages.{driver}")
    except ModuleNotFoundError:
        pytest.fail(f"the driver {driver} has no stage: write tests/stages/{driver}.py")
