"""The demonstration: a world, whichlayer watching it, faults made one after the other, and who was right."""

import random
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from collector.plugin import names
from deploy.lab import faults
from deploy.lab.namespace import LabError
from deploy.lab.pace import Pace
from deploy.lab.trials import campaign, scenario
from deploy.lab.trials.campaign import Campaign, Narrator
from deploy.lab.trials.scenario import Planned, alone
from deploy.lab.trials.trial import Trial

FROM_START = "from-start"
ORDER = (
    "wifi", "wifi_roam", "wired", "wan", "dns", "display_link", "memory", "storage", "query", "printer",
    "external_link", "link_filtered", "innocent", FROM_START,
)  # fmt: skip
# Made only when they are named: they take a processor, or would make the demo take twice as long.
ASKED_FOR = (
    "endpoint_cpu", "session_cpu", "storage_stalls", "shared_storage", "n_plus_one", "locks", "identity", "steal",
    "app_cpu",
)  # fmt: skip
_SLOW_FROM_START = ("storage", "memory", "query")  # what is slower than its target, not only than usual
_PLAINLY = (0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for. ``faults`` empty means all of them."""

    pace: Pace
    faults: tuple[str, ...] = ()
    blind: bool = False
    seed: int
    port: int | None = None
    keep: bool = False


def plan(wish: Wish) -> list[Planned]:
    """Draw what is made, in which order and how strong, from the seed alone. Raises LabError."""
    there = (*ORDER, *ASKED_FOR)
    unknown = set(wish.faults) - set(there)
    if unknown:
        raise LabError(f"there is no fault {', '.join(sorted(unknown))}: there are {', '.join(there)}")
    draw = random.Random(wish.seed)
    chosen = [name for name in there if name in (wish.faults or ORDER)]
    if wish.blind:
        draw.shuffle(chosen)
        chosen.sort(key=FROM_START.__eq__)  # it begins anew, so it comes last
    return [_planned(name, wish.blind, draw) for name in chosen]


def _planned(name: str, blind: bool, draw: random.Random) -> Planned:
    if name != FROM_START:
        return scenario.planned(name, alone(name), draw)
    fault = draw.choice(_SLOW_FROM_START) if blind else _SLOW_FROM_START[0]
    return scenario.planned(name, alone(fault, _PLAINLY, from_start=True), draw)


def run(wish: Wish, narrator: Narrator) -> Generator[Trial, None, None]:
    """Do all of it; gives each trial as it is over. Nothing is left afterwards, whatever happens."""
    asked = Campaign(planned=plan(wish), pace=wish.pace, port=wish.port, keep=wish.keep)
    with closing(campaign.run(asked, narrator)) as running:
        for _, _, trial in running:
            yield trial


def known() -> tuple[str, ...]:
    """Name every fault that can be made."""
    return tuple(name for name in (*ORDER, *ASKED_FOR) if name in {*names(faults), FROM_START})
