"""The demonstration: a world, whichlayer watching it, faults made one after the other, and who was right."""

import random
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from collector.plugin import load, names
from deploy.lab import faults
from deploy.lab.fault import Fault
from deploy.lab.namespace import LabError
from deploy.lab.site import Pace, Site, free_port
from deploy.lab.stopping import Stopped
from deploy.lab.trial import Trial, learn, make, make_from_start, recover
from deploy.lab.world import World

FROM_START = "from-start"
ORDER = ("wifi", "wired", "memory", "storage", "query", "printer", "external_link", "innocent", FROM_START)
_SLOW_FROM_START = ("storage", "memory", "query")  # what is slower than its target, not only than usual
_FROM_START_AT_LEAST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for. ``faults`` empty means all of them."""

    pace: Pace
    faults: tuple[str, ...] = ()
    blind: bool = False
    seed: int
    port: int | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One fault to make: what it is listed as, which fault, how strong."""

    name: str
    fault: str
    strength: float


class Narrator(Protocol):
    """Who tells people what goes on."""

    def building(self) -> None:
        """The world is being built."""

    def watching(self, site: Site) -> None:
        """Whichlayer is running."""

    def learning(self) -> "AbstractProgress":
        """Learning begins."""
        ...

    def remark(self, text: str) -> None:
        """Something is not as it should be."""

    def beginning(self, number: int, planned: Planned, words: str) -> None:
        """A fault begins."""

    def judged(self, trial: Trial) -> None:
        """A fault is over."""

    def kept(self, site: Site) -> None:
        """The world is left running."""


AbstractProgress = Callable[[float, float], None]


def plan(wish: Wish) -> list[Planned]:
    """Draw what is made, in which order and how strong, from the seed alone. Raises LabError."""
    unknown = set(wish.faults) - set(ORDER)
    if unknown:
        raise LabError(f"there is no fault {', '.join(sorted(unknown))}: there are {', '.join(ORDER)}")
    draw = random.Random(wish.seed)
    chosen = [name for name in ORDER if not wish.faults or name in wish.faults]
    if wish.blind:
        draw.shuffle(chosen)
        chosen.sort(key=FROM_START.__eq__)  # it begins anew, so it comes last
    return [_planned(name, wish.blind, draw) for name in chosen]


def _planned(name: str, blind: bool, draw: random.Random) -> Planned:
    strength = draw.random()
    if name != FROM_START:
        return Planned(name=name, fault=name, strength=strength)
    fault = draw.choice(_SLOW_FROM_START) if blind else _SLOW_FROM_START[0]
    return Planned(name=name, fault=fault, strength=max(strength, _FROM_START_AT_LEAST))


def run(wish: Wish, narrator: Narrator) -> Generator[Trial, None, None]:
    """Do all of it; gives each trial as it is over. Nothing is left afterwards, whatever happens."""
    planned = plan(wish)
    port = free_port(wish.port)
    narrator.building()
    with closing(World.build()) as world:
        for problem in sorted(set(world.missing.values())):
            narrator.remark(problem)
        usual = [one for one in planned if one.name != FROM_START]
        if usual:
            with _site(world, "site", wish.pace, port) as site:
                site.start()
                yield from _usual(site, usual, narrator)
                if wish.keep and len(usual) == len(planned):
                    _keep(site, narrator)
        for number, one in enumerate(planned[len(usual) :], start=len(usual) + 1):
            with _site(world, FROM_START, wish.pace, port) as site:
                yield _from_start(site, number, one, narrator)
                if wish.keep:
                    _keep(site, narrator)
    left = world.leftovers()
    if left:
        raise LabError(f"the lab did not clean up: {', '.join(left)}")


def _usual(site: Site, planned: Sequence[Planned], narrator: Narrator) -> Iterator[Trial]:
    narrator.watching(site)
    restless = learn(site, narrator.learning())
    if restless is not None:
        narrator.remark(f"the quiet time was not quiet: {restless}")
    for number, one in enumerate(planned, start=1):
        fault = load(faults, one.fault, Fault)
        narrator.beginning(number, one, fault.words)
        trial = make(site, one.name, fault, one.strength)
        narrator.judged(trial)
        yield trial
        restless = None if trial.skipped else recover(site)
        if restless is not None:
            narrator.remark(f"not yet as usual: {restless}")


def _from_start(site: Site, number: int, one: Planned, narrator: Narrator) -> Trial:
    fault = load(faults, one.fault, Fault)
    narrator.beginning(number, one, f"{fault.words}, before whichlayer has seen a single run")
    trial = make_from_start(site, one.name, fault, one.strength)
    narrator.judged(trial)
    return trial


@contextmanager
def _site(world: World, name: str, pace: Pace, port: int) -> Iterator[Site]:
    site = Site(world, world.directory / name, pace, port)
    try:
        yield site
    finally:
        site.stop()


def _keep(site: Site, narrator: Narrator) -> None:
    narrator.kept(site)
    with suppress(Stopped):  # that is how it is meant to end
        signal.pause()


def known() -> tuple[str, ...]:
    """Name every fault that can be made."""
    return tuple(name for name in ORDER if name in {*names(faults), FROM_START})
