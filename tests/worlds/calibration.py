"""Are verdicts as sure as they say? Worlds whose truth is known, drawn from fixed seeds, all synthetic.

    python -m tests.worlds.calibration [--worlds N] [--json]

Three questions. Is a quiet time called normal? Does an interval that says 0.9 hold the truth nine times in
ten? Is anybody blamed who did nothing? The noise is log-normal with a sigma of 0.15 to 0.5, one run in twenty
takes 2 to 5 times as long, and everything drifts by up to 30 %.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
from rich.table import Table

from analysis.conclude import conclude
from analysis.episodes import judge
from analysis.history import BAD
from analysis.job import LOOK_BACK
from analysis.settings import AnalysisSettings
from collector.model.layer import Layer
from collector.model.run import Phase
from collector.model.verdict import Interval, LayerVerdict, Reference, Share, Status, Verdict
from tests.worlds.bench import drawn, run
from tests.worlds.culprits import CULPRITS
from tests.worlds.generator import START, WIFI, WIRED, Fault, World, window

SETTINGS = AnalysisSettings(seasonal=False)
JITTERS = (0.15, 0.3, 0.5)
DRIFT = 0.3
FAULT_AT = 600.0  # seconds of quiet before a fault
FAULT_SECONDS = 0.6  # that a fault adds to a step
UNTOLD = 0.25  # of them in no phase, in every second world of two culprits
PACES: Mapping[str, tuple[float, float]] = {  # seconds between two runs, and of history before the window
    "a run every 5 s": (5.0, 600.0),
    "a run every 5 min": (300.0, SETTINGS.history_seconds),
}
STALL_EVERY = 300.0  # once in so many seconds, at a time drawn by lot, the whole machine stands still for 10


@dataclass(slots=True, kw_only=True)
class Row:
    """One figure: how many of so many; ``asked`` is the share that would be right."""

    question: str
    asked: str
    found: int = 0
    of: int = 0

    def count(self, found: bool) -> None:
        self.found += found
        self.of += 1

    @property
    def share(self) -> float:
        return self.found / self.of if self.of else float("nan")


def measure(worlds: int) -> list[Row]:
    """Answer all questions, with so many worlds for each."""
    return [*quiet_rows(worlds), *excess_rows(4 * worlds), *share_rows(worlds), *culprit_rows(worlds)]


def quiet_rows(worlds: int) -> Iterator[Row]:
    """Count the windows of one step from one access that are normal, as the regular analysis looks at them."""
    for pace, (every, history) in PACES.items():
        for stalling in (False, True):
            name = f"quiet windows normal, {pace}{', stalls' if stalling else ''}"
            normal = Row(question=name, asked="1")
            blamed = Row(question="  of these, somebody blamed", asked="0")
            for seed in drawn(worlds, name):
                world = _quiet_world(seed, every, history, stalling=stalling)
                facts = window(world)
                facts = replace(facts, start=facts.end - LOOK_BACK)
                found = conclude(facts, Reference.EXPECTED, SETTINGS, now=facts.end)
                for said in _by_series(found).values():
                    normal.count(all(v.status is Status.NORMAL for v in said))
                    blamed.count(any(v.blamed for v in said))
            yield from (normal, blamed)


def _quiet_world(seed: int, every: float, history: float, *, stalling: bool) -> World:
    seconds = history + LOOK_BACK.total_seconds()
    lot = np.random.default_rng(seed + 50_000).uniform(0, STALL_EVERY, int(seconds / STALL_EVERY))
    stalls = tuple(float(place * STALL_EVERY + at) for place, at in enumerate(lot)) if stalling else ()
    return World(
        seed=seed,
        every=every,
        seconds=seconds,
        stalls=stalls,
        drift=DRIFT,
        jitter=JITTERS[seed % 3],
        sampled=every < 60.0,  # six hours of samples say nothing of what is normal
    )


def excess_rows(worlds: int) -> Iterator[Row]:
    """Ask of steps far shorter than the fault and of steps as long, hit always and in four runs of five."""
    for length in (1.0, 20.0):
        for hit in (1.0, 0.8):
            yield excess_row(worlds, length=length, hit=hit, jitters=JITTERS)


def excess_row(worlds: int, *, length: float, hit: float, jitters: Sequence[float]) -> Row:
    """Hold the interval of the excess against the trimmed mean of very many runs."""
    steps = f"steps of {0.01 * length:.2g} to {0.05 * length:.2g} s"
    row = Row(question=f"excess held, {steps}, {hit:.0%} hit", asked="0.9")
    for seed in drawn(worlds, row.question):
        jitter = jitters[seed % len(jitters)]
        truth = _true_excess(jitter, hit, length)
        facts = window(replace(_faulty_world(jitter, hit, length), seed=seed))
        for one in judge(facts, Reference.EXPECTED, SETTINGS):
            for episode in one.episodes:
                if episode.excess_seconds and episode.end > START + timedelta(seconds=FAULT_AT):
                    row.count(_holds(episode.excess_seconds, truth[episode.step]))
    return row


def _faulty_world(jitter: float, hit: float, length: float) -> World:
    half = FAULT_SECONDS / 2
    fault = Fault(start=FAULT_AT, seconds={Phase.PROCESSING: half, Phase.SERVER_DB: half}, hit=hit)
    return World(populations=[WIFI], sampled=False, jitter=jitter, length=length, drift=DRIFT, faults=[fault])


@lru_cache
def _true_excess(jitter: float, hit: float, length: float) -> Mapping[str, float]:
    """Walk the same world fifty times as often: per step the trimmed mean during, minus the median before."""
    world = _faulty_world(jitter, hit, length)
    rows = window(replace(world, every=world.every / 50, seed=100_000)).steps
    late = (rows["slot"] - np.datetime64(START.replace(tzinfo=None))).dt.total_seconds() >= FAULT_AT
    found = {}
    for step in sorted(set(rows["step"])):
        seconds = rows.loc[rows["step"] == step, "seconds"].to_numpy(dtype=float)
        during, before = np.sort(seconds[late[rows["step"] == step]]), seconds[~late[rows["step"] == step]]
        cut = len(during) // 10
        found[step] = float(during[cut : len(during) - cut].mean() - np.median(before))
    return found


def share_rows(worlds: int) -> list[Row]:
    """Two culprits at once: the access network of one link and the database of both, of known shares."""
    rows = {
        Layer.ACCESS_NETWORK: Row(question="two culprits, the access network's share held", asked="0.9"),
        Layer.DATABASE: Row(question="two culprits, the database's share held", asked="0.9"),
    }
    nothing = Row(question="unexplained share held, when nothing is", asked="0.9")
    quarter = Row(question=f"unexplained share held, when {UNTOLD:.0%} is", asked="0.9")
    blamed = Row(question="two culprits, an innocent blamed", asked="0")
    for seed in drawn(worlds, "two culprits"):
        world, network, untold = _two_culprits(seed)
        facts = window(world)
        for verdict in conclude(facts, Reference.EXPECTED, SETTINGS, now=facts.end):
            if verdict.status is not Status.SLOW:
                continue
            guilty = {Layer.DATABASE, Layer.ACCESS_NETWORK} if verdict.population == WIFI else {Layer.DATABASE}
            blamed.count(any(layer.layer not in guilty for layer in verdict.blamed))
            if verdict.population == WIFI:
                layers = {layer.layer: layer for layer in verdict.layers}
                rows[Layer.ACCESS_NETWORK].count(_holds(layers[Layer.ACCESS_NETWORK], (1 - untold) * network))
                rows[Layer.DATABASE].count(_holds(layers[Layer.DATABASE], (1 - untold) * (1 - network)))
                assert verdict.unexplained is not None
                (quarter if untold else nothing).count(_holds(verdict.unexplained, untold))
    return [*rows.values(), nothing, quarter, blamed]


def _two_culprits(seed: int) -> tuple[World, float, float]:
    """Give a world, the network's share of what is told on WiFi, and the share that is not told."""
    network = (0.3, 0.5, 0.7)[seed % 3]
    hit, untold = (1.0, 0.8)[seed // 3 % 2], (0.0, UNTOLD)[seed // 6 % 2]
    told = FAULT_SECONDS * (1 - untold)
    ways = {Phase.PROCESSING: 0.8 * network * told, Phase.CONNECT: 0.2 * network * told}
    database = {Phase.SERVER_DB: (1 - network) * told}
    both = Fault(
        start=FAULT_AT,
        seconds={**ways, **database},
        untold=untold * FAULT_SECONDS,
        populations=[WIFI],
        hit=hit,
        shifts={("db-1", "db.busy"): 0.3},
    )
    one = Fault(start=FAULT_AT, seconds=database, populations=[WIRED], hit=hit)
    jitter = JITTERS[seed // 12 % 3]
    return World(populations=[WIRED, WIFI], seed=seed, jitter=jitter, drift=DRIFT, faults=[both, one]), network, untold


def culprit_rows(worlds: int) -> list[Row]:
    """One culprit, each kind in turn, at every strength of noise."""
    named = Row(question="one culprit, blamed", asked="1")
    blamed = Row(question="one culprit, an innocent blamed", asked="0")
    kinds = list(CULPRITS.values())
    for seed in drawn(worlds, "one culprit"):
        truth, world = kinds[seed % len(kinds)]
        facts = window(replace(world, seed=seed, drift=DRIFT, jitter=JITTERS[seed // len(kinds) % 3]))
        for verdict in conclude(facts, Reference.EXPECTED, SETTINGS, now=facts.end):
            if verdict.status in BAD:
                named.count(any(layer.layer is truth for layer in verdict.blamed))
                blamed.count(any(layer.layer is not truth for layer in verdict.blamed))
    return [named, blamed]


def _by_series(verdicts: Iterable[Verdict]) -> Mapping[tuple[str, str], list[Verdict]]:
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault((verdict.step, str(verdict.population)), []).append(verdict)
    return found


def _holds(told: Interval | Share | LayerVerdict, truth: float) -> bool:
    return told.low <= truth <= told.high


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=None, title="synthetic worlds of known truth", title_justify="left")
    table.add_column("")
    for heading in ("found", "of", "share", "right"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.question, str(row.found), str(row.of), f"{row.share:.3f}", row.asked)
    return table


def main() -> None:
    """Print the table."""
    run(measure, _table, words=__doc__, worlds=40, of="of each kind (of those of the excess four times)")


if __name__ == "__main__":
    main()
