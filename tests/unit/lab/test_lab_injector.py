"""The injector does what the timetable says, remembers it as it happened, and leaves nothing bad behind."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collector.model.access import Link
from collector.model.layer import Layer
from deploy.lab.fault import Running
from deploy.lab.namespace import LabError
from deploy.lab.program import Programs
from deploy.lab.trials.injector import Injected
from deploy.lab.world import World


@dataclass
class Tap:
    """A fault of something that is really there: how far a tap is open."""

    can_turn: bool = True
    words: str = "the tap drips"
    truth: Layer | None = Layer.STORAGE
    link: Link | None = None
    told: list[float | None] = field(default_factory=list)

    def skipped_because(self, world: World) -> str | None:  # noqa: ARG002  the contract gives it
        return None

    def start(self, world: World, strength: float) -> Running:  # noqa: ARG002
        self.told.append(strength)
        return Running(stop=lambda: self.told.append(None), turn=self.told.append if self.can_turn else None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(directory=tmp_path, programs=Programs(tmp_path), passwords={})


def test_what_was_done_is_remembered_and_nothing_is_done_twice(world: World) -> None:
    tap = Tap()
    one = Injected(kind="tap", fault=tap, strength=0.8)
    for strength in (None, 0.2, 0.2, 0.8, None, None, 0.8):
        one.set(world, strength)
    assert tap.told == [0.2, 0.8, None, 0.8]
    assert [span.end is None for span in one.spans] == [False, True]
    one.stop()
    one.stop()
    assert tap.told[-2:] == [0.8, None]
    assert all(span.end is not None and span.begin <= span.end for span in one.spans)


def test_what_cannot_be_turned_has_no_ramp(world: World) -> None:
    one = Injected(kind="tap", fault=Tap(can_turn=False), strength=0.8)
    one.set(world, 0.1)
    with pytest.raises(LabError, match="a scenario cannot give it a ramp"):
        one.set(world, 0.2)
