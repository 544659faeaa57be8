"""Innocent metrics beside a slow step: who is blamed with covariation, and who without it? All synthetic.

    python -m deploy.bench.covariates [--worlds N] [--json]

Each world is one step walked from two accesses every 5 s for a quarter of an hour, slow from the tenth minute on, with
a handful of metrics sampled as often. The noise of a run is log-normal (sigma 0.15 to 0.5), one in twenty takes 2 to 5
times as long; that of a sample has a sigma of 0.2 to 0.3.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.progress import track
from rich.table import Table

from analysis import methods
from analysis.episode import Episode
from analysis.episodes import judge
from analysis.method import Method
from analysis.methods.covariation import PLUGIN as COVARIATION
from analysis.nearby import nearby
from analysis.settings import AnalysisSettings
from analysis.statistics import Floats
from analysis.verdict import attribute
from analysis.window import Window
from collector import tables
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.verdict import Finding, LayerState, Reference
from collector.plugin import load, names

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECONDS, EVERY, ONSET, LATE = 900.0, 5.0, 600.0, 60.0
SETTINGS = AnalysisSettings(seasonal=False)
QUIET: Mapping[tuple[str, str], float] = {
    ("app-1", "system.cpu.utilization"): 0.3,
    ("app-1", "process.paging.faults.major"): 0.2,
    ("app-1", "system.cpu.steal"): 0.001,
    ("lun-1", "storage.write.latency"): 0.0015,
    ("db-1", "db.busy"): 0.02,
    ("host-1", "session.count"): 40.0,
    ("pc-elsewhere", "endpoint.cpu.utilization"): 0.1,
}
CPU, STEAL, BUSY = ("app-1", "system.cpu.utilization"), ("app-1", "system.cpu.steal"), ("db-1", "db.busy")
STORAGE = {("lun-1", "storage.write.latency"): 0.15, BUSY: 0.3}
PEOPLE = ("host-1", "session.count")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``part`` of the step gets ``slower`` by so many seconds along the fault's course; metrics rise by ``driven``
    along it, by ``late`` a minute after it, by ``crowd`` with the people. ``truth`` is who is behind it, None where
    nothing that is sampled is.
    """

    truth: Layer | None
    part: str = "server_app"
    slower: float = 0.4
    flaps: bool = False
    driven: Mapping[tuple[str, str], float] = field(default_factory=dict)
    late: Mapping[tuple[str, str], float] = field(default_factory=dict)
    crowd: Mapping[tuple[str, str], float] = field(default_factory=dict)
    counted: bool = True  # whether the people are
    people_slow: bool = False  # the step is slow because of them


INNOCENT = {CPU: 0.4}
WORLDS: Mapping[str, World] = {
    "storage is slow; the processor busy with people": World(
        truth=Layer.STORAGE, part="server_db", driven=STORAGE, crowd=INNOCENT
    ),
    "storage is slow on and off; the processor busy with people": World(
        truth=Layer.STORAGE, part="server_db", flaps=True, driven=STORAGE, crowd=INNOCENT
    ),
    "the processor is why": World(truth=Layer.APP_SERVER, driven=INNOCENT),
    "the processor is why, on and off": World(truth=Layer.APP_SERVER, flaps=True, driven=INNOCENT),
    "the processor is why, because people came": World(truth=Layer.APP_SERVER, crowd=INNOCENT, people_slow=True),
    "the processor is why, on and off; time stolen beside it": World(
        truth=Layer.APP_SERVER, flaps=True, driven=INNOCENT, crowd={STEAL: 0.1}, counted=False
    ),
    "the code waits; the processor busy a minute later": World(truth=None, late=INNOCENT),
    "the code waits; the processor busy with people": World(truth=None, crowd=INNOCENT),
    "the code waits on and off; the processor busy with people": World(truth=None, flaps=True, crowd=INNOCENT),
    "the same, people not counted": World(truth=None, flaps=True, crowd=INNOCENT, counted=False),
    "nothing is slow; people come, the database busy": World(truth=None, slower=0.0, crowd=INNOCENT, late={BUSY: 0.3}),
}


def window(world: World, seed: int) -> Window:
    """Draw the world."""
    noise = np.random.default_rng(seed)
    at = np.arange(0.0, SECONDS, EVERY)
    people, fault = _people(at, noise), _fault(world, at, noise)
    steps = pa.concat_tables([_walked(world, at, people, fault, link, noise) for link in ("wired", "wifi")])
    frames = {
        "steps": steps.sort_by([(name, "ascending") for name in tables.ORDER["steps"]]).to_pandas(),
        "samples": _sampled(world, at, people, fault, noise).to_pandas(),
        "hourly": pd.DataFrame({name: [] for name in tables.HOURLY.names}),
    }
    return Window(
        start=START,
        end=START + timedelta(seconds=SECONDS),
        history_start=START,
        snapshot=1,
        mixed=frames["steps"].iloc[:0],
        changes=(),
        digest=str(seed),
        **frames,
    )


def _people(at: Floats, noise: np.random.Generator) -> Floats:
    """Give how many came besides, about 1: they begin to within 20 s before the fault, and come and go from then on."""
    swing = np.convolve(noise.normal(0, 1, len(at) + 7), np.ones(8) / 8, "valid")
    came = 1 / (1 + np.exp(-(at - ONSET - noise.uniform(-20, 0)) / 3))
    return np.asarray(came * (1 + 0.5 * swing) + 0.3 * swing)


def _fault(world: World, at: Floats, noise: np.random.Generator) -> Floats:
    on = at >= ONSET
    if world.flaps:
        turns = ONSET + 60 + np.cumsum(noise.uniform(12, 32, 40))
        on &= (at < ONSET + 60) | (np.searchsorted(turns, at) % 2 == 0)
    return on.astype(float)


def _walked(world: World, at: Floats, people: Floats, fault: Floats, link: str, noise: np.random.Generator) -> pa.Table:
    count, sigma = len(at), float(noise.choice([0.15, 0.3, 0.5]))
    hiccup = np.where(noise.random(count) < 0.05, noise.uniform(2, 5, count), 1.0)
    course = np.where(at >= ONSET, people, 0.0) if world.people_slow else fault
    more = world.slower * course * noise.lognormal(0, 0.3, count)
    app, db = (q * hiccup * noise.lognormal(0, sigma, count) for q in (0.008, 0.009))
    wait, connect = (q * hiccup * noise.lognormal(0, 0.3, count) for q in (0.002, 0.001))
    app, db = (app + more, db) if world.part == "server_app" else (app, db + more)
    columns = {
        "run_id": [f"{link}{number:06d}" for number in range(count)],
        "slot": _stamps(at),
        "endpoint": [f"pc-{link}"] * count,
        "link": [link] * count,
        "seconds": connect + wait + app + db,
        "connect": connect,
        "processing": wait + app + db,
        "server_app": app,
        "server_db": db,
    }
    words = {"site": "site-1", "presentation": "local", "journey": "record", "journey_hash": "0123456789abcdef"}
    words |= {"environment": "live", "step": "save", "outcome": "ok"}
    columns |= {name: [word] * count for name, word in words.items()} | {"mixed": [False] * count}
    return pa.table({f.name: pa.array(columns.get(f.name, [None] * count), f.type) for f in tables.STEPS})


def _sampled(world: World, at: Floats, people: Floats, fault: Floats, noise: np.random.Generator) -> pa.Table:
    then, late = at + noise.uniform(0, EVERY), at >= ONSET + LATE
    found = []
    for whose, quiet in QUIET.items():
        values = quiet * noise.lognormal(0, 0.05 if whose == PEOPLE else 0.3, len(at))
        crowd = world.crowd.get(whose, 40.0 if whose == PEOPLE else 0.0)
        values += crowd * people * noise.lognormal(0, 0.05, len(at))
        values += world.driven.get(whose, 0.0) * fault * noise.lognormal(0, 0.2, len(at))
        values += world.late.get(whose, 0.0) * late * noise.lognormal(0, 0.2, len(at))
        if world.counted or whose != PEOPLE:
            found.append(_samples(whose, then, values))
    return pa.concat_tables(found).sort_by([(name, "ascending") for name in tables.ORDER["samples"]])


def _samples(whose: tuple[str, str], at: Floats, values: Floats) -> pa.Table:
    layer = str(CATALOGUE[whose[1]].layer)
    words = {"site": "site-1", "component": whose[0], "layer": layer, "metric": whose[1]}
    columns = {name: [word] * len(at) for name, word in words.items()} | {"at": _stamps(at), "value": values}
    return pa.table({f.name: pa.array(columns.get(f.name, [None] * len(at)), f.type) for f in tables.SAMPLES})


def _stamps(at: Floats) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return np.datetime64(START.replace(tzinfo=None), "us") + np.round(at * 1e6).astype("timedelta64[us]")


def findings(facts: Window) -> Iterator[tuple[Episode, list[Finding]]]:
    """Give the episodes of one access with what all methods say of them."""
    tools = [load(methods, name, Method) for name in names(methods)]
    for one in judge(facts, Reference.EXPECTED, SETTINGS)[:1]:
        for episode in one.episodes:
            yield episode, [finding for tool in tools for finding in tool.explain(facts, episode, level=0.9)]


def blamed(episode: Episode, found: Sequence[Finding], *, covariation: bool = True) -> list[Layer]:
    """Name who is blamed, with covariation or as it was without."""
    excess = episode.excess_rate or episode.excess_seconds
    if excess is None:
        return []
    heard = [one for one in found if covariation or one.method.name != "covariation"]
    return [one.layer for one in attribute(heard, excess).layers if one.state is LayerState.BLAMED]


@dataclass(slots=True, kw_only=True)
class Row:
    """Episodes of one world: ``right`` blame the truth alone, or nobody where there is none to name."""

    world: str
    covariation: bool
    right: int = 0
    innocent: int = 0
    nobody: int = 0
    of: int = 0

    def count(self, truth: Layer | None, said: Sequence[Layer]) -> None:
        """Count one episode."""
        self.of += 1
        self.right += list(said) == ([truth] if truth else [])
        self.innocent += any(layer is not truth for layer in said)
        self.nobody += not said


def measure(worlds: int) -> tuple[list[Row], float]:
    """Judge so many of each kind; give the counts, without and with covariation, and its milliseconds an episode."""
    rows, spent, episodes = [], 0.0, 0
    for name, world in track(WORLDS.items(), description="worlds", console=Console(stderr=True), transient=True):
        before, after = (Row(world=name, covariation=used) for used in (False, True))
        for seed in range(worlds):
            facts = window(world, seed)
            for episode, found in findings(facts):
                nearby(facts, episode)  # the infrastructure's part, which it asks for too
                began = time.process_time()
                COVARIATION.explain(facts, episode, level=0.9)
                spent, episodes = spent + time.process_time() - began, episodes + 1
                for row in (before, after):
                    row.count(world.truth, blamed(episode, found, covariation=row.covariation))
        rows += [before, after]
    return rows, 1000 * spent / max(1, episodes)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=20, help="so many of each kind")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows, spent = measure(asked.worlds)
    if asked.json:
        json.dump({"rows": [asdict(row) for row in rows], "milliseconds": spent}, sys.stdout, indent=2)
        return
    table = Table("world", "covariation", "right", "an innocent blamed", "nobody blamed", "episodes")
    for row in rows:
        shares = [f"{share / row.of:.3f}" if row.of else "" for share in (row.right, row.innocent, row.nobody)]
        table.add_row(row.world, "with" if row.covariation else "without", *shares, str(row.of))
    console = Console(width=150)
    console.print(table)
    console.print(f"covariation takes {spent:.1f} ms of processor an episode")


if __name__ == "__main__":
    main()
