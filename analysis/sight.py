"""What can be seen of a step from one access, and a made-up window in which one layer is slow, as it would be seen.

Nothing here knows a rule of attribution: it says how a slow layer shows in phases and samples (``SHOWS``), and the
methods are asked about that window as about any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analysis.episode import Episode
from analysis.parts import ACCOUNT, OUTSIDE
from analysis.series import stamp
from analysis.statistics import bounded
from analysis.window import Window
from collector.model.access import Link, Population, Presentation
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.metric import Direction
from collector.model.run import Outcome
from collector.model.verdict import Interval, Reference, Rung, Status

FAULT = 0.5  # seconds that the slow layer adds to a run
USUAL = 0.05  # seconds that each measured phase takes otherwise
LIMIT = 10.0  # seconds after which a failing run is given up
QUIET, DURING = 24, 12  # runs before and in the episode
FAR = 10  # times the smallest shift that counts, by which a slow layer's own measures move
MINUTE = timedelta(minutes=1)
BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LEVEL = 0.9
EXCESS: Mapping[Status, Interval] = {
    Status.SLOW: bounded(FAULT, 0.95 * FAULT, 1.05 * FAULT, LEVEL),
    Status.FAILING: bounded(1.0, 0.8, 1.0, LEVEL),
}
WORDS = ("site", "endpoint", "link", "presentation", "journey", "step", "environment", "outcome")
STEP, BESIDE = "asked", "beside"

_NETWORK = (("display",), ("connect", "processing", "transfer"), ("spool",))
_SERVER = (("server_app",), ("processing",), ("display",))
# Per layer the phases that get longer when it is slow; the first row counts of which anything is measured.
SHOWS: Mapping[Layer, tuple[tuple[str, ...], ...]] = {
    Layer.ENDPOINT: (),
    Layer.ACCESS_NETWORK: _NETWORK,
    Layer.NETWORK_CORE: _NETWORK,
    Layer.REMOTE_SESSION: (("processing",), ("display",)),
    Layer.IDENTITY: (("identity",), ("processing",)),
    Layer.VIRTUALISATION: _SERVER,
    Layer.APP_SERVER: _SERVER,
    Layer.APPLICATION: _SERVER,
    Layer.DATABASE: (("server_db",), ("processing",), ("display",)),
    Layer.STORAGE: (("server_storage",), ("server_db",), ("processing",), ("display",)),
    Layer.EXTERNAL_LINK: (("server_external",), ("processing",)),
    Layer.PRINTING: (("spool",), ("processing",)),
}
ALSO_MOVES: Mapping[Layer, tuple[Layer, ...]] = {Layer.STORAGE: (Layer.DATABASE,)}  # who waits for it is busier
LINKS = frozenset({Layer.ACCESS_NETWORK, Layer.NETWORK_CORE, Layer.REMOTE_SESSION, Layer.ENDPOINT})


@dataclass(frozen=True, slots=True)
class Vantage:
    """One access and the phases that are measured from it."""

    population: Population
    phases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a step: from ``mine``, from other accesses at the same times, and ``measured`` beside it.

    ``measured`` are metrics with the layer their samples speak of; ``alone`` says that the journey has no other step.
    """

    mine: Vantage
    others: frozenset[Vantage] = frozenset()
    measured: frozenset[tuple[Layer, str]] = frozenset()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """How a slow layer shows in the runs: per access the share of its seconds in each phase, and whether in all steps.

    Of an access it does not reach there is None; phases are empty where no phase shows it.
    """

    shares: tuple[tuple[Vantage, tuple[tuple[str, float], ...] | None], ...]
    everywhere: bool


def hit(sight: Sight, layer: Layer) -> Hit:
    """Say how ``layer`` would show in the runs of ``sight``."""
    mine = sight.mine.population
    vantages = (sight.mine, *sorted(sight.others, key=lambda one: one.population))
    shares = [(one, _where(layer, one) if _reaches(layer, mine, one.population) else None) for one in vantages]
    return Hit(shares=tuple(shares), everywhere=layer in LINKS and not sight.alone)


def runs_of(how: Hit, *, alone: bool, status: Status) -> tuple[Window, Episode]:
    """Make up a time in which that costs each run half a second, or keeps it waiting until it is given up."""
    failing = status is Status.FAILING
    parts = [_runs(vantage, where, STEP, hurt=where is not None) for vantage, where in how.shares]
    if failing and not alone:
        parts += [
            _runs(vantage, where, BESIDE, hurt=where is not None and how.everywhere) for vantage, where in how.shares
        ]
    steps = _coded(pd.concat(parts, ignore_index=True))
    if failing:
        lost = (steps["seconds"] > FAULT) & (steps["slot"] >= stamp(BEGIN + QUIET * MINUTE))
        steps.loc[lost, "seconds"], steps.loc[lost, "outcome"] = LIMIT, str(Outcome.TIMEOUT)
        steps.loc[lost, OUTSIDE + ACCOUNT] = np.nan
    return _window(steps, []), asked(how.shares[0][0].population, status)


def samples_of(layer: Layer, name: str, *, moved: bool, status: Status) -> tuple[Window, Episode]:
    """Make up a time in which a metric of a layer moves far, or stands still, and no run was made."""
    metric = CATALOGUE[name]
    least = 0.0 if metric.unit != "s" else LIMIT if status is Status.FAILING else FAULT
    shift = (-1.0 if metric.direction is Direction.DOWN else 1.0) * max(FAR * metric.minimum_shift, least)
    rows = []
    for number in range(QUIET + DURING):
        value = 2 * FAR * metric.minimum_shift + (shift if moved and number >= QUIET else 0.0)
        rows.append((pd.Timestamp(stamp(BEGIN + number * MINUTE)), "site", f"{layer}-1", str(layer), name, value))
    nobody = Population(link=Link.UNKNOWN, presentation=Presentation.LOCAL)
    none = _coded(_runs(Vantage(nobody, frozenset()), None, STEP, hurt=False)).iloc[:0]
    return _window(none, rows), asked(nobody, status)


def moves(layer: Layer, sampled: Layer) -> bool:
    """Say whether the measures of ``sampled`` move when ``layer`` is slow."""
    return sampled is layer or sampled in ALSO_MOVES.get(layer, ())


def _coded(steps: pd.DataFrame) -> pd.DataFrame:
    """Keep words as the store's rows have them: each once."""
    coded = steps.astype(dict.fromkeys(WORDS, "category"))
    coded["outcome"] = coded["outcome"].cat.set_categories([str(outcome) for outcome in Outcome])
    return coded


def _window(steps: pd.DataFrame, samples: Sequence[tuple[object, ...]]) -> Window:
    columns = ["at", "site", "component", "layer", "metric", "value"]
    return Window(
        start=BEGIN,
        end=BEGIN + (QUIET + DURING) * MINUTE,
        history_start=BEGIN,
        snapshot=0,
        steps=steps,
        mixed=steps.iloc[:0],
        samples=pd.DataFrame(list(samples), columns=columns),
        hourly=pd.DataFrame(),
        changes=(),
        digest="",
    )


def _runs(vantage: Vantage, where: tuple[tuple[str, float], ...] | None, step: str, *, hurt: bool) -> pd.DataFrame:
    number = np.arange(QUIET + DURING)
    wobble, shares = 1.0 + 0.02 * np.cos(number), dict(where or ())
    lost = np.where(hurt & (number >= QUIET), FAULT * wobble, 0.0)
    phases = {phase: USUAL * wobble + lost * shares.get(phase, 0.0) for phase in sorted(vantage.phases)}
    nothing = np.zeros(len(number))
    if "processing" in phases:
        phases["processing"] += sum((phases[phase] for phase in ACCOUNT if phase in phases), nothing)
    told = sum((phases[phase] for phase in OUTSIDE if phase in phases), nothing)
    told = told if phases else USUAL * wobble
    words = {
        "site": "site",
        "endpoint": str(vantage.population),
        "link": str(vantage.population.link),
        "presentation": str(vantage.population.presentation),
        "journey": "journey",
        "step": step,
        "environment": "live",
        "outcome": str(Outcome.OK),
    }
    columns = {
        **words,
        "run_id": [f"{vantage.population}-{one}" for one in number],
        "slot": stamp(BEGIN) + number * np.timedelta64(60, "s"),
        "seconds": told + (0.0 if shares else lost),
        **dict.fromkeys(("release", "http_status", "error_kind")),
        **{phase: phases.get(phase, np.nan) for phase in (*OUTSIDE, *ACCOUNT)},
    }
    return pd.DataFrame(columns)


def _where(layer: Layer, vantage: Vantage) -> tuple[tuple[str, float], ...]:
    """Divide what a slow layer costs among the phases measured; nothing where no phase shows it."""
    for phases in SHOWS[layer]:
        seen = [phase for phase in phases if phase in vantage.phases]
        if seen:
            return tuple((phase, 1.0 / len(seen)) for phase in seen)
    return ()


def _reaches(layer: Layer, mine: Population, other: Population) -> bool:
    """Say whether what is slow for ``mine`` is so for another access as well."""
    if layer is Layer.ENDPOINT:
        return other == mine
    if layer is Layer.ACCESS_NETWORK:
        return other.link is mine.link
    if layer is Layer.REMOTE_SESSION:
        return other.presentation is mine.presentation
    return True


def asked(population: Population, status: Status) -> Episode:
    """Give the episode of a made-up time."""
    start = BEGIN + QUIET * MINUTE
    usual = bounded(USUAL, USUAL, USUAL, LEVEL)
    return Episode(
        site="site",
        journey="journey",
        step=STEP,
        population=population,
        environment="live",
        status=status,
        against=Reference.EXPECTED,
        rung=Rung.POOLED,
        start=start,
        end=BEGIN + (QUIET + DURING - 1) * MINUTE,
        open=True,
        runs=DURING,
        censored=0 if status is Status.SLOW else DURING,
        measured=usual,
        expected=usual,
        excess_seconds=EXCESS[status] if status is Status.SLOW else None,
        excess_rate=EXCESS[status] if status is Status.FAILING else None,
        baseline_start=BEGIN,
        baseline_end=start,
    )
