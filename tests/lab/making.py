"""Makes a fault of the lab for the time of a test, and good again."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collector.plugin import load
from deploy.lab import faults
from deploy.lab.fault import Fault
from deploy.lab.world import World

STRONG = 0.7


def fault_of(world: World, name: str) -> Fault:
    """Give a fault; the test is skipped where this machine does not offer what it needs."""
    fault = load(faults, name, Fault)
    problem = fault.skipped_because(world)
    if problem:
        pytest.skip(problem)
    return fault


@contextmanager
def made(world: World, name: str, strength: float = STRONG) -> Iterator[None]:
    """Make it, and make it good again."""
    running = fault_of(world, name).start(world, strength)
    try:
        yield
    finally:
        running.stop()
