"""Scenarios one after the other in one world, whichlayer watching: those that can share what was learnt do."""

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from deploy.lab.namespace import LabError
from deploy.lab.pace import Pace
from deploy.lab.rules.monitoring import Monitoring
from deploy.lab.site import Site, free_port
from deploy.lab.stopping import Stopped
from deploy.lab.trials.scenario import Planned
from deploy.lab.trials.trial import Trial, make
from deploy.lab.trials.users import at_work
from deploy.lab.trials.usual import learn, recover
from deploy.lab.world import World

Progress = Callable[[float, float], None]
Made = tuple[Site, Planned, Trial]


class Narrator(Protocol):
    """Who tells people what goes on."""

    def building(self) -> None:
        """The world is being built."""

    def watching(self, site: Site) -> None:
        """Whichlayer is running."""

    def learning(self) -> Progress:
        """Learning begins."""
        ...

    def remark(self, text: str) -> None:
        """Something is not as it should be."""

    def beginning(self, number: int, planned: Planned) -> None:
        """A scenario begins."""

    def judged(self, trial: Trial) -> None:
        """A scenario is over."""

    def kept(self, site: Site) -> None:
        """The world is left running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is to be run, and how. ``hold_runs`` and ``alone`` are those of ``trial.make``.

    With ``rules``, a Prometheus with the alert rules of ``deploy/lab/rules`` stands beside and is judged by the same.
    """

    planned: Sequence[Planned]
    pace: Pace
    port: int | None = None
    keep: bool = False
    hold_runs: int = 0
    alone: bool = False
    rules: bool = False


def run(campaign: Campaign, narrator: Narrator) -> Generator[Made, None, None]:
    """Do all of it: first what shares a site, then what needs its own. Gives each trial with its site still there.

    Nothing is left afterwards, whatever happens. Raises LabError.
    """
    port = free_port(campaign.port)
    sharing = [one for one in campaign.planned if not one.scenario.own_site]
    apart = [one for one in campaign.planned if one.scenario.own_site]
    narrator.building()
    with closing(World.build()) as world:
        for problem in sorted(set(world.missing.values())):
            narrator.remark(problem)
        if sharing:
            with _site(world, "site", campaign, port) as (site, rules):
                yield from _shared(site, rules, sharing, campaign, narrator)
                if campaign.keep and not apart:
                    _keep(site, narrator)
        for number, one in enumerate(apart, start=len(sharing) + 1):
            with _site(world, f"site-{number}", campaign, port) as (site, rules):
                yield from _apart(site, rules, number, one, campaign, narrator)
                if campaign.keep:
                    _keep(site, narrator)
    left = world.leftovers()
    if left:
        raise LabError(f"the lab did not clean up: {', '.join(left)}")


def _shared(
    site: Site, rules: Monitoring | None, planned: Sequence[Planned], campaign: Campaign, narrator: Narrator
) -> Iterator[Made]:
    _learn(site, narrator)
    for number, one in enumerate(planned, start=1):
        narrator.beginning(number, one)
        with at_work(site.world, one.scenario.load):
            trial = _made(site, rules, one, campaign)
        narrator.judged(trial)
        yield site, one, trial
        restless = None if trial.skipped or one is planned[-1] else recover(site)
        if restless is not None:
            narrator.remark(f"not yet as usual: {restless}")
        if rules is not None and (firing := rules.settle()):
            narrator.remark(f"alerts have not ended: {firing}")


def _apart(
    site: Site, rules: Monitoring | None, number: int, one: Planned, campaign: Campaign, narrator: Narrator
) -> Iterator[Made]:  # fmt: skip
    with at_work(site.world, one.scenario.load):
        if not one.scenario.from_start:
            _learn(site, narrator)
        narrator.beginning(number, one)
        trial = _made(site, rules, one, campaign)
    narrator.judged(trial)
    yield site, one, trial


def _made(site: Site, rules: Monitoring | None, one: Planned, campaign: Campaign) -> Trial:
    trial = make(site, one, hold_runs=campaign.hold_runs, alone=campaign.alone)
    if rules is None or trial.skipped is not None:
        return trial
    return replace(trial, rules=rules.said_of(trial))


def _learn(site: Site, narrator: Narrator) -> None:
    site.start()
    narrator.watching(site)
    restless = learn(site, narrator.learning())
    if restless is not None:
        narrator.remark(f"the quiet time was not quiet: {restless}")


@contextmanager
def _site(world: World, name: str, campaign: Campaign, port: int) -> Iterator[tuple[Site, Monitoring | None]]:
    site = Site(world, world.directory / name, campaign.pace, port)
    rules = Monitoring(world, campaign.pace.runs) if campaign.rules else None
    try:
        if rules is not None:
            rules.start(world.directory / f"{name}-rules")
        yield site, rules
    finally:
        if rules is not None:
            rules.stop()
        site.stop()


def _keep(site: Site, narrator: Narrator) -> None:
    narrator.kept(site)
    with suppress(Stopped):  # that is how it is meant to end
        signal.pause()
