"""Are changes found where there are none? And those that are there? Series of known truth, all synthetic.

    python -m tests.worlds.unchanged [--series N] [--length N]

Eight kinds without a change, and three with one.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from rich.console import Console
from rich.progress import track

from analysis.changes.change_points import change_points
from analysis.statistics import Floats
from tests.worlds.changes import Row, counted, table

Draw = np.random.Generator


def remembering(draw: Draw, count: int, memory: float) -> Floats:
    """Draw an AR(1) of variance 1, in its stationary state."""
    found, scatter = draw.normal(size=count), np.sqrt(1 - memory**2)
    for place in range(1, count):
        found[place] = memory * found[place - 1] + scatter * found[place]
    return found


def _line(count: int) -> Floats:
    return np.linspace(0, 1, count)


UNCHANGED: Mapping[str, Callable[[Draw, int], Floats]] = {
    "white": lambda draw, count: draw.normal(size=count),
    "AR .8": lambda draw, count: remembering(draw, count, 0.8),
    "trend": lambda draw, count: 5 * _line(count) + draw.normal(size=count),
    "season": lambda draw, count: 2 * np.sin(np.arange(count) * 2 * np.pi / 12) + draw.normal(size=count),
    "season and trend": lambda draw, count: (
        2 * np.sin(np.arange(count) * 2 * np.pi / 7) + 5 * _line(count) + draw.normal(size=count)
    ),
    "quadratic": lambda draw, count: 20 * (_line(count) - 0.4) ** 2 + draw.normal(size=count),
    "exponential trend": lambda draw, count: np.exp(3 * _line(count)) + draw.normal(size=count),
    "random walk": lambda draw, count: np.cumsum(draw.normal(size=count)),
}
CHANGED: Mapping[str, float] = {"one step of 1 sd": 1.0, "one step of 2 sd": 2.0, "one step of 2 sd, AR .5": 2.0}


def measure(series: int, length: int) -> Iterator[Row]:
    """Answer all questions."""
    for name, kind in UNCHANGED.items():
        lots = track(range(series), description=name, console=Console(stderr=True))
        alarms = [bool(change_points(kind(np.random.default_rng([seed, length]), length))) for seed in lots]
        yield counted(f"{name}: alarms", "<= 0.05", alarms)
    for name, height in CHANGED.items():
        lots = track(range(series // 2), description=name, console=Console(stderr=True))
        found = [_step(np.random.default_rng([seed, length]), length, height, 0.5 * ("AR" in name)) for seed in lots]
        yield counted(f"{name}: found within 5 %", "", [_near(one, length) for one in found])
        yield counted(f"{name}: and another beside", "0", [len(one) > 1 for one in found])


def _step(draw: Draw, length: int, height: float, memory: float) -> list[int]:
    return change_points(remembering(draw, length, memory) + height * (np.arange(length) >= length // 2))


def _near(found: list[int], length: int) -> bool:
    return any(abs(place - length // 2) <= 0.05 * length for place in found)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--series", type=int, default=40, help="of each kind")
    arguments.add_argument("--length", type=int, default=200, help="of each series")
    options = arguments.parse_args()
    Console(width=140).print(table(measure(options.series, options.length), f"series of {options.length} points"))


if __name__ == "__main__":
    main()
