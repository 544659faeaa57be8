"""All good ways to cut a series into segments, under seven ideas of what a segment is.

Mathematics. A segment is a regression: on a constant, a line, a parabola, on the value before (AR(1)), on the two
before, on a line and the value before; or the increments are, on a constant. For each idea the best cut into 1 to 11
segments is found exactly, by dynamic programming over the residual sums of squares of all segments. Which number of
segments is right depends on the price of one, n log(residuals) + price * (parameters + 1) log n for each; nobody knows
the price. Every cut is therefore given the share of the range of prices from 1 to 6, on a logarithmic scale, for
which it is the best of its idea, for shortest segments of 2, 5 and 10 points.

Limits. Of series longer than 300 points only each second (third, ...) place can be a cut.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from analysis.statistics import Floats, Places

Cuts = tuple[int, ...]

MOST = 10  # cuts
SHORTEST = (2, 5, 10)
PRICES = np.exp(np.linspace(0.0, np.log(6.0), 40))
PLACES = 300


def pool(values: Floats) -> Mapping[Cuts, float]:
    """Give cuts of ``values`` (n,), scaled to 1, each as the first places of new segments, with their weights."""
    found: dict[Cuts, float] = defaultdict(float)
    edges = _edges(len(values))
    for design, target in _ideas(values):
        parameters = design.shape[1] + 1
        costs = _costs(design, target, edges)
        for shortest in SHORTEST:
            least = max(shortest, parameters)
            if 2 * least <= len(values):
                long = np.where(edges - edges[:, None] >= least, costs, np.inf)
                for cuts, weight in _priced(list(_best(long, edges)), parameters, len(values)):
                    found[cuts] += weight / len(SHORTEST)
    return found


def _ideas(values: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Give what a segment regresses on, and what it regresses."""
    line, one = np.linspace(-1, 1, len(values)), np.ones(len(values))
    last = np.append(values[:1], values[:-1])
    before = np.append(last[:1], last[:-1])
    yield np.column_stack([one]), values
    yield np.column_stack([one, line]), values
    yield np.column_stack([one, line, line**2]), values
    yield np.column_stack([one, last]), values
    yield np.column_stack([one, last, before]), values
    yield np.column_stack([one, line, last]), values
    yield np.column_stack([one]), values - last


def _edges(count: int) -> Places:
    return np.append(np.arange(0, count, -(-count // PLACES)), count)


def _costs(design: Floats, target: Floats, edges: Places) -> Floats:
    """Give the residual sum of squares of the segment from one edge to another; infinite if undetermined."""
    columns = design.shape[1]
    both = np.column_stack([design, target])
    sums = np.concatenate(
        [np.zeros((1, columns + 1, columns + 1)), np.cumsum(both[:, :, None] * both[:, None], axis=0)]
    )
    found = np.full((len(edges), len(edges)), np.inf)
    for place, begin in enumerate(edges):
        ends = np.flatnonzero(edges - begin > columns)
        if len(ends):
            moments = sums[edges[ends]] - sums[begin]
            gram, cross = moments[:, :columns, :columns] + 1e-9 * np.eye(columns), moments[:, :columns, columns]
            slopes = np.linalg.solve(gram, cross[:, :, None])[:, :, 0]
            found[place, ends] = np.maximum(moments[:, columns, columns] - np.sum(slopes * cross, axis=1), 0.0)
    return found


def _best(costs: Floats, edges: Places) -> Iterator[tuple[float, Cuts]]:
    """Give the least sum of squares with 0 to MOST cuts, and the cuts."""
    last = len(edges) - 1
    least = costs[0]
    back: list[Places] = []
    for number in range(MOST + 1):
        place, cuts = last, []
        for step in reversed(back):
            place = int(step[place])
            cuts.append(int(edges[place]))
        yield float(least[-1]), tuple(reversed(cuts))
        if number < MOST:
            ways = least[:, None] + costs
            back.append(np.argmin(ways, axis=0))
            least = ways[back[-1], np.arange(len(edges))]


def _priced(best: list[tuple[float, Cuts]], parameters: int, count: int) -> Iterator[tuple[Cuts, float]]:
    """Give the cuts that are the best for some prices, with the share of prices."""
    rest = np.array([squares for squares, _ in best])
    fit = np.where(np.isfinite(rest), count * np.log(np.maximum(rest / count, 1e-10)), np.inf)
    dear = fit + PRICES[:, None] * np.arange(len(best)) * parameters * np.log(count)
    numbers, times = np.unique(np.argmin(dear, axis=1), return_counts=True)
    for number, share in zip(numbers.tolist(), (times / len(PRICES)).tolist(), strict=True):
        yield best[number][1], share
