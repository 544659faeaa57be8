"""The public benchmarks of changes, and what their tables do not ask: drift, series left out, time.

The folder holds the evaluators (impact_eval.py, tcpd_eval.py) and data/nab, data/tcpd beside them; it is no part of
this project. Intervals are 95 %: exact binomial ones of windows (which overlap, so they are too narrow), and of series
by drawing them anew.

usage: python -m deploy.bench.changes FOLDER
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from analysis import benchmarks
from analysis.statistics import Floats, rate_interval

A_DAY = 288
SHIFTS = (0.05, 0.1, 0.2, 0.5)
WORLDS = 400
Draw = np.random.Generator


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    sys.path.insert(0, str(folder))
    effects(import_module("impact_eval"), folder / "data" / "nab")
    drifting()
    points(import_module("tcpd_eval"), folder / "data" / "tcpd")


def effects(evaluator: Any, data: Path) -> None:  # noqa: ANN401  a module that is no part of this project
    """Print coverage, alarms and power of recorded windows with known shifts, and with each series left out."""
    windows = evaluator.load(data)
    begun = time.process_time()
    found = np.array([benchmarks.impact(pre, post) for _, pre, post in windows])
    milliseconds = 1e3 * (time.process_time() - begun) / len(windows)
    names = np.array([name for name, _, _ in windows])
    level = np.array([abs(float(np.median(np.concatenate([pre, post])))) for _, pre, post in windows])
    low, high = found[:, 1] / level, found[:, 2] / level
    alarms = (low > 0) | (high < 0)
    _told("effect of nothing: alarms (a shift is held as often as there is none)", alarms)
    for shift in SHIFTS:
        _told(f"effect of a shift by {shift:.0%}: seen", low + shift > 0)
    apart = [(np.mean(alarms[names != name]), np.mean(low[names != name] > -0.1)) for name in sorted(set(names))]
    worst, least = max(one for one, _ in apart), min(one for _, one in apart)
    print(f"  any one series left out: alarms up to {worst:.3f}, 10 % seen at least {least:.3f}")  # noqa: T201
    print(f"  median width {np.median(high - low):.3f} of the level, {milliseconds:.1f} ms a window")  # noqa: T201


def drifting() -> None:
    """Print how often the interval holds nothing, where nothing but drift happened."""
    for name, kind in _drifts().items():
        draw = np.random.default_rng(20_240_229)
        held = []
        for _ in range(WORLDS):
            samples = kind(draw)
            _, low, high = benchmarks.impact(samples[: 2 * A_DAY], samples[2 * A_DAY :])
            held.append(low <= 0 <= high)
        _told(f"drift, {name}: held", np.array(held))


def points(evaluator: Any, data: Path) -> None:  # noqa: ANN401  a module that is no part of this project
    """Print F1 and covering of annotated series, with the interval of series drawn anew."""
    series = evaluator.load(data)
    begun = time.process_time()
    rows = evaluator.evaluate(benchmarks.detect, series)
    seconds = (time.process_time() - begun) / len(rows)
    control = np.array([row["series"].startswith("quality_control") for row in rows])
    scores = np.array([(row["f1"], row["cover"]) for row in rows])
    for name, chosen in (("change points", scores[~control]), ("change points, control", scores[control])):
        drawn = chosen[np.random.default_rng(1).integers(0, len(chosen), (4000, len(chosen)))].mean(axis=1)
        between = np.quantile(drawn, [0.025, 0.975], axis=0)
        for place, what in enumerate(("F1", "covering")):
            low, high = between[:, place]
            print(f"{name}: {what} {chosen[:, place].mean():.3f} ({low:.3f}-{high:.3f}) of {len(chosen)}")  # noqa: T201
    print(f"  {seconds:.1f} s of processor a series")  # noqa: T201


def _drifts() -> Mapping[str, Callable[[Draw], Floats]]:
    def days(draw: Draw, spread: float) -> Floats:
        return np.asarray(draw.normal(size=3 * A_DAY) + np.repeat(draw.normal(0, spread, 3), A_DAY))

    return {
        "none": lambda draw: draw.normal(size=3 * A_DAY),
        "AR .9": lambda draw: _remembering(draw, 0.9),
        "AR .99": lambda draw: _remembering(draw, 0.99),
        "AR .997": lambda draw: _remembering(draw, 0.997),
        "random walk": lambda draw: np.cumsum(draw.normal(size=3 * A_DAY)),
        "days at levels of their own, 0.3 of the scatter": lambda draw: days(draw, 0.3),
        "days at levels of their own, as wide as the scatter": lambda draw: days(draw, 1.0),
        "days at levels of their own, 5 times the scatter": lambda draw: days(draw, 5.0),
    }


def _remembering(draw: Draw, memory: float) -> Floats:
    found, scatter = draw.normal(size=3 * A_DAY), np.sqrt(1 - memory**2)
    for place in range(1, len(found)):
        found[place] = memory * found[place - 1] + scatter * found[place]
    return found


def _told(question: str, answers: "np.ndarray[Any, np.dtype[np.bool_]]") -> None:
    found = rate_interval(int(np.count_nonzero(answers)), len(answers), 0.95)
    share = f"{found.estimate:.3f} ({found.low:.3f}-{found.high:.3f})"
    print(f"{question}: {share}, {np.count_nonzero(answers)} of {len(answers)}")  # noqa: T201


if __name__ == "__main__":
    main()
