"""Which scenarios are run, in which order and how strong: from the seed alone."""

import random
from collections.abc import Sequence

from collector.document import seconds
from collector.model.errors import WhichlayerError
from collector.plugin import load, names
from deploy.lab import faults
from deploy.lab.fault import Fault
from deploy.lab.trials.scenario import Flap, Part, Planned, Scenario, find, planned

_LATEST = 30  # seconds until the last fault of a scenario nobody wrote


def chosen(wanted: Sequence[str], *, blind: bool, count: int, seed: int, lasts: str | None = None) -> list[Planned]:
    """Give each wanted scenario ``count`` times, watched for ``lasts`` if told; blind, in an order drawn by lot.

    Blind and with none wanted: ``count`` scenarios that nobody wrote. Raises ConfigError, WhichlayerError.
    """
    if blind and not wanted:
        return [_unwritten(seed + number) for number in range(count)]
    found = [(name, _lasting(scenario, lasts)) for name, scenario in map(find, wanted)]
    plans = [
        planned(name, scenario, random.Random(f"{name} {seed + number}"), seed + number)
        for number in range(count)
        for name, scenario in found
    ]
    if blind:
        random.Random(seed).shuffle(plans)
    return plans


def _lasting(scenario: Scenario, lasts: str | None) -> Scenario:
    if lasts is None:
        return scenario
    try:
        return scenario.model_copy(update={"lasts": seconds(lasts)})
    except ValueError as problem:
        raise WhichlayerError(f"--lasts {problem}") from None


def _unwritten(seed: int) -> Planned:
    """Draw one fault, two that different layers are to blame for, or one beside an innocent."""
    draw = random.Random(f"unwritten {seed}")
    known = {name: load(faults, name, Fault) for name in names(faults)}
    guilty = [name for name, fault in known.items() if fault.truth is not None]
    first = draw.choice(guilty)
    beside = {
        "two": [name for name in guilty if known[name].truth is not known[first].truth],
        "innocent": [name for name, fault in known.items() if fault.truth is None],
        "one": [],
    }[draw.choice(("one", "one", "two", "innocent"))]
    kinds = [first, *([draw.choice(beside)] if beside else [])]
    flaps = len(kinds) == 1 and draw.random() < 0.2
    flap = Flap(on=draw.randint(60, 120), off=draw.randint(20, 40)) if flaps else None
    parts = tuple(
        Part(fault=kind, start=draw.randint(0, _LATEST), strength=_exactly(draw), flap=flap) for kind in kinds
    )
    scenario = Scenario(words=", and ".join(known[kind].words for kind in kinds), faults=parts)
    return planned(f"unwritten-{seed}", scenario, draw, seed)


def _exactly(draw: random.Random) -> tuple[float, float]:
    strength = round(draw.random(), 2)
    return strength, strength
