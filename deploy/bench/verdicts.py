"""Are verdicts right, and as sure as they say? Worlds of known truth (``analysis/truth``), all synthetic.

    python -m deploy.bench.verdicts [--worlds N] [--months M] [--first-seed S] [--json]

World S, S + 1 … are drawn; every second one is probed every five minutes, as in use, the others every five seconds, as
in the lab. In every fourth the facts do not tell two layers apart. Of each world one verdict counts, drawn by lot:
those of one world are alike. The quiet months are looked at hour by hour. One process, one thread.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from analysis.conclude import conclude
from analysis.settings import AnalysisSettings
from analysis.statistics import poisson_interval, rate_interval
from analysis.truth.draw import PACES, Pace, inseparable, separable
from analysis.truth.facts import window
from analysis.truth.truth import Truth
from collector.model.layer import Layer
from collector.model.verdict import LayerVerdict, Reference, Share, Status, Verdict
from deploy.bench.quiet_months import DAYS, QuietMonths, look_through

APART = 4  # every so manyth world is one in which two layers cannot be told apart
ALL = "all"


@dataclass(slots=True, kw_only=True)
class Rate:
    """How many of so many."""

    found: int = 0
    of: int = 0

    def count(self, found: bool) -> None:
        """Count one more."""
        self.found += found
        self.of += 1

    def told(self) -> str:
        """Print it with its interval."""
        if not self.of:
            return "-"
        known = rate_interval(self.found, self.of, 0.95)
        return f"{self.found} of {self.of} = {known.estimate:.3f} ({known.low:.3f} to {known.high:.3f})"


@dataclass(slots=True, kw_only=True)
class Tally:
    """All that is counted of the worlds of one pace."""

    rates: dict[str, Rate] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def count(self, question: str, found: bool) -> None:
        """Count one answer."""
        self.rates.setdefault(question, Rate()).count(found)

    def note(self, question: str, value: float) -> None:
        """Keep one value."""
        self.values.setdefault(question, []).append(value)


RIGHT: Mapping[str, str] = {  # what is counted, and what would be right
    "a step that was slowed has a verdict": "1",
    "a verdict of a step that was slowed has a layer blamed": "1",
    "the first layer blamed is the largest culprit": "1",
    "somebody innocent is blamed": "0",
    "an innocent whose metrics rose is blamed": "<= 0.02",
    "a share's interval (0.9) holds the truth": "0.87 to 0.93",
    "  of these, a culprit's": "0.9",
    "  of these, the unexplained, where something is": "0.9",
    "  of these, the unexplained, where nothing is": "0.9",
    "the excess is told as at least so much": "",
    "layers are said not to be told apart, and they can": "<= 0.05",
    "layers are said not to be told apart, and they cannot": ">= 0.95",
    "one of two that cannot be told apart is blamed": "0",
}


def measure(first: int, worlds: int) -> Mapping[str, Tally]:
    """Draw the worlds and hold their verdicts against the truth, by pace."""
    tallies = {name: Tally() for name in (*PACES, ALL)}
    names = list(PACES)
    for seed in track(range(first, first + worlds), description="worlds", console=Console(stderr=True)):
        name = names[seed % len(names)]
        truth = (inseparable if seed // len(names) % APART == APART - 1 else separable)(seed, PACES[name])
        said = _said(truth, PACES[name])
        for tally in (tallies[name], tallies[ALL]):
            _compare(tally, truth, said, seed)
    return tallies


def _said(truth: Truth, pace: Pace) -> list[Verdict]:
    facts = window(truth.world, history_days=pace.history_days)
    settings = AnalysisSettings(seasonal=pace.history_days > 0)
    return conclude(facts, Reference.EXPECTED, settings, now=facts.end)


def _compare(tally: Tally, truth: Truth, said: Iterable[Verdict], seed: int) -> None:
    bad = [v for v in said if v.status in (Status.SLOW, Status.FAILING)]
    slowed = [v for v in bad if truth.slowed(v.step, v.population, v.start, v.end)]
    places = {(v.step, v.population) for v in slowed}
    for step in truth.world.steps:
        for population in truth.world.populations:
            if truth.seconds(step, population):
                tally.count("a step that was slowed has a verdict", (step, population) in places)
    if not slowed:
        return
    verdict = slowed[int(np.random.default_rng(seed).integers(len(slowed)))]
    shares = truth.shares(verdict.step, verdict.population)
    if truth.inseparable:
        _not_apart(tally, truth, verdict)
        return
    tally.count("layers are said not to be told apart, and they can", bool(verdict.inseparable))
    _blame(tally, truth, verdict, shares)
    if verdict.status is Status.SLOW and verdict.unexplained is not None:
        _shares(tally, verdict, verdict.unexplained, shares)


def _not_apart(tally: Tally, truth: Truth, verdict: Verdict) -> None:
    said = any(truth.inseparable <= set(group) for group in verdict.inseparable)
    tally.count("layers are said not to be told apart, and they cannot", said)
    blamed = any(layer.layer in truth.inseparable for layer in verdict.blamed)
    tally.count("one of two that cannot be told apart is blamed", blamed)


def _blame(tally: Tally, truth: Truth, verdict: Verdict, shares: Mapping[Layer | None, float]) -> None:
    blamed = [layer.layer for layer in verdict.blamed]
    culprits = {layer: share for layer, share in shares.items() if layer is not None}
    tally.count("a verdict of a step that was slowed has a layer blamed", bool(blamed))
    largest = max(culprits.values())
    right = bool(blamed) and culprits.get(blamed[0], 0.0) >= largest - 0.1  # two of about the same size are both first
    tally.count("the first layer blamed is the largest culprit", right)
    tally.count("somebody innocent is blamed", bool(set(blamed) - set(culprits)))
    if truth.rose:
        tally.count("an innocent whose metrics rose is blamed", bool(set(blamed) & (truth.rose - set(culprits))))


def _shares(tally: Tally, verdict: Verdict, unexplained: Share, shares: Mapping[Layer | None, float]) -> None:
    layers = {layer.layer: layer for layer in verdict.layers}
    tally.count("the excess is told as at least so much", verdict.excess_at_least)
    untold = shares.get(None, 0.0)
    for layer, share in shares.items():
        if layer is not None:
            _held(tally, "  of these, a culprit's", layers[layer], share)
    something = "something" if untold else "nothing"
    _held(tally, f"  of these, the unexplained, where {something} is", unexplained, untold)
    apart = abs(unexplained.share - untold) + sum(abs(one.share - shares.get(one.layer, 0.0)) for one in verdict.layers)
    tally.note("total variation between stated and true shares (mean; right: <= 0.15)", apart / 2)


def _held(tally: Tally, question: str, told: LayerVerdict | Share, truth: float) -> None:
    for name in ("a share's interval (0.9) holds the truth", question):
        tally.count(name, told.low <= truth <= told.high)
        tally.note(f"width of it: {name.strip()} (median)", told.high - told.low)


def _summary(name: str, values: list[float]) -> float:
    return float(np.median(values) if "(median)" in name else np.mean(values))


def _table(tallies: Mapping[str, Tally], quiet: QuietMonths | None) -> Table:
    table = Table(box=None, title="synthetic worlds of known truth; exact 95 % intervals", title_justify="left")
    for heading in ("", *tallies, "right"):
        table.add_column(heading)
    for question, right in RIGHT.items():
        cells = [tally.rates.get(question, Rate()).told() for tally in tallies.values()]
        table.add_row(question, *cells, right)
    for question in tallies[ALL].values:
        cells = [f"{_summary(question, t.values.get(question, [np.nan])):.3f}" for t in tallies.values()]
        table.add_row(question, *cells, "")
    if quiet is not None and quiet.months:
        for words, count in (("false verdicts", quiet.verdicts), ("  of these, somebody blamed", quiet.blamed)):
            known = poisson_interval(count, quiet.months, 0.95)
            told = f"{count} in {quiet.months:g} = {known.estimate:.2f} ({known.low:.2f} to {known.high:.2f})"
            table.add_row(f"{words} in a council-month", "", told, "", "<= 1")
    return table


def _json(tallies: Mapping[str, Tally], quiet: QuietMonths | None) -> str:
    found: dict[str, object] = {}
    for name, tally in tallies.items():
        rates = {question: {"found": rate.found, "of": rate.of} for question, rate in tally.rates.items()}
        found[name] = {"rates": rates, "values": {q: _summary(q, v) for q, v in tally.values.items()}}
    if quiet is not None:
        found["council-months"] = {"months": quiet.months, "verdicts": quiet.verdicts, "blamed": quiet.blamed}
    return json.dumps({"synthetic": True, **found})


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--worlds", type=int, default=2000, help="worlds with culprits")
    arguments.add_argument("--months", type=int, default=12, help=f"quiet months, of {DAYS} days")
    arguments.add_argument("--first-seed", type=int, default=10_000, help="below 10000 the engine was tuned on them")
    arguments.add_argument("--json", action="store_true", help="print for machines")
    options = arguments.parse_args()
    tallies = measure(options.first_seed, options.worlds)
    quiet = look_through(range(options.first_seed, options.first_seed + options.months)) if options.months else None
    if options.json:
        sys.stdout.write(_json(tallies, quiet) + "\n")
    else:
        Console(width=200).print(_table(tallies, quiet))


if __name__ == "__main__":
    main()
