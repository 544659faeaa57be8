"""What is to happen in the lab, as a YAML file: which faults, when, how strong, beside how much ordinary work.

Files lie in ``deploy/lab/trials/scenarios/`` or anywhere else; docs/lab.md describes them. The name of every
fault is a scenario too: that fault alone, from the beginning until it is judged.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from collector.document import Document, Seconds, read
from collector.model.errors import WhichlayerError
from collector.plugin import load, names
from deploy.lab import faults
from deploy.lab.fault import Fault

_SHIPPED = Path(__file__).with_name("scenarios")


def _known(name: str) -> str:
    if name not in names(faults):
        raise ValueError(f"is no fault of the lab: there are {', '.join(names(faults))}")
    return name


def _range(written: Any) -> Any:  # noqa: ANN401  a file may hold anything here
    return written if isinstance(written, Sequence) and not isinstance(written, str) else (written, written)


def _strengths(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= bounds[0] <= bounds[1] <= 1:
        raise ValueError("must be a number from 0 to 1, or two of them, the smaller one first: [0.3, 0.8]")
    return bounds


Strength = Annotated[tuple[float, float], BeforeValidator(_range), AfterValidator(_strengths)]
Lasting = Annotated[Seconds, Field(gt=0)]


class Flap(Document):
    """On for so long, off for so long, again and again."""

    on: Lasting
    off: Lasting


class Part(Document):
    """One fault of a scenario. Times are from the scenario's beginning, when what is usual has been learnt."""

    fault: Annotated[str, AfterValidator(_known)]
    start: Seconds = 0.0
    end: Seconds | None = Field(default=None, description="Until it is judged, when nothing is said.")
    strength: Strength = Field(default=(0.0, 1.0), description="A number from 0 to 1, or a range to draw from.")
    ramp: Lasting | None = Field(default=None, description="So long from the weakest it can be to full strength.")
    flap: Flap | None = None

    @model_validator(mode="after")
    def _lasts(self) -> "Part":
        if self.end is not None and self.end <= self.start:
            raise ValueError("ends before it starts: end must be later than start")
        return self

    @property
    def plugin(self) -> Fault:
        """Give what does it."""
        return load(faults, self.fault, Fault)


class Load(Document):
    """Ordinary people at work beside the probes: from the fewest to the most and back, once in ``swing``."""

    users: Annotated[tuple[int, int], BeforeValidator(_range)]
    swing: Lasting = 600.0
    memory: float = Field(default=0.0, ge=0, le=200, description="MiB that each of them takes on the server.")
    learnt: bool = Field(default=False, description="They work already while what is usual is learnt.")

    @model_validator(mode="after")
    def _some(self) -> "Load":
        if not 0 <= self.users[0] <= self.users[1] <= 50:
            raise ValueError("users must be one number to 50, or two of them, the smaller one first: [1, 8]")
        return self


class Scenario(Document):
    """A scenario. Who is to blame is not in it: the faults know."""

    words: str = Field(min_length=1, description="What happens, for people.")
    from_start: bool = Field(default=False, description="It begins before the first run: only a target can show it.")
    lasts: Lasting | None = Field(default=None, description="How long it is watched; as long as it takes if not told.")
    load: Load | None = None
    faults: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> "Scenario":
        for number, one in enumerate(self.faults):
            for other in self.faults[:number]:
                if one.fault == other.fault and _overlap(one, other):
                    raise ValueError(f"{one.fault} is there twice at the same time: give each its start and end")
        return self

    @property
    def own_site(self) -> bool:
        """Say whether nobody else can use what was learnt before it, or that nothing was."""
        return self.from_start or (self.load is not None and self.load.learnt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A scenario to be run: with what it is listed as, and how strong each of its faults is."""

    name: str
    scenario: Scenario
    strengths: tuple[float, ...]
    seed: int | None = None

    @property
    def guilty(self) -> tuple[Part, ...]:
        """Give the faults that somebody is to blame for."""
        return tuple(part for part in self.scenario.faults if part.plugin.truth is not None)


def planned(name: str, scenario: Scenario, draw: random.Random, seed: int | None = None) -> Planned:
    """Draw how strong each fault of a scenario is."""
    strengths = tuple(low + (high - low) * draw.random() for low, high in (part.strength for part in scenario.faults))
    return Planned(name=name, scenario=scenario, strengths=strengths, seed=seed)


def alone(fault: str, strength: tuple[float, float] = (0.0, 1.0), *, from_start: bool = False) -> Scenario:
    """Give the scenario of one fault and nothing else."""
    words = load(faults, fault, Fault).words
    return Scenario(words=words, from_start=from_start, faults=(Part(fault=fault, strength=strength),))


def shipped() -> tuple[str, ...]:
    """Name the scenarios there are: the files, and each fault alone."""
    return tuple(sorted({*(path.stem for path in _SHIPPED.glob("*.yaml")), *names(faults)}))


def find(wanted: str) -> tuple[str, Scenario]:
    """Give name and scenario of a shipped one, or of a path to a file. Raises ConfigError, WhichlayerError."""
    path = _SHIPPED / f"{wanted}.yaml"
    if wanted in shipped() and not path.exists():
        return wanted, alone(wanted)
    if wanted not in shipped():
        path = Path(wanted)
        if not path.suffix and not path.exists():
            raise WhichlayerError(f"there is no scenario {wanted}: name a file, or one of {', '.join(shipped())}")
    return path.stem, read(path, Scenario)


def _overlap(one: Part, other: Part) -> bool:
    def until(part: Part) -> float:
        return float("inf") if part.end is None else part.end

    return one.start < until(other) and other.start < until(one)
