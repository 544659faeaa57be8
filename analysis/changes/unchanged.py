"""Could a series look like this without any change? Only if that is refuted are change points looked for.

Mathematics. Two families of explanations without a change are tried:

- a smooth curve (constant, line, parabola, or one of seven exponentials) with noise that remembers, AR(1) with a memory
  up to 0.97: the best of them by Akaike's criterion;
- a random walk with a drift.

Against each stands the alternative of up to four steps and kinks at unknown places, on a constant, line or parabola,
with a memory of its own, chosen greedily. The statistic is the gain in n log(residuals), less a price of 1, 2 or 4
times log n for each step or kink: several prices, since one large change and many small ones are seen best at
different ones. Against the random walk it is joined by how unevenly its increments scatter. What is chance is found
by drawing the same statistic from the fitted explanation itself (fixed seed), so that no table has to fit. A change
is claimed only where both families are refuted: whichever of them is true, alarms stay below the level.

Limits. A series of less than 15 points refutes hardly anything. Random walks of increments that change their scatter,
long memory, and smooth curves of other shapes are not among the explanations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.statistics import Floats, Places

SEED = 20_240_229
DRAWS = 120
LEVEL = 0.01  # of each family: with so many draws none may be as extreme. What the choice of a curve adds comes on top
MEMORIES = (0.0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.92, 0.97)
BENDS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # of exponentials, over half the series
PRICES = (1.0, 2.0, 4.0)
PLACES = 60  # where steps and kinks may be
MOST = 4  # of them together
TINY = 1e-12


def smooth(values: Floats) -> float:
    """Give how far the best smooth curve leaves the series, as a share of its standard deviation."""
    left = [float(np.std(values - base @ (base.T @ values))) for base in map(_orthogonal, _curves(len(values)))]
    return min(left) / (float(np.std(values)) or 1.0)


def refuted(values: Floats, beside: int = 1) -> bool:
    """Say whether both families of explanations without a change are refuted for ``values`` (n,), scaled to 1.

    The level is shared among the ``beside`` series that are looked at together.
    """
    draw = np.random.default_rng(SEED)
    bench = _Bench(len(values))
    curve, walk = bench.curves(values, draw), _walks(values, draw)
    against_curve = bench.least(curve) - bench.changed(curve)
    against_walk = np.vstack([_walk_fit(walk) - bench.changed(walk), _uneven(np.diff(walk, axis=0))])
    return max(_chance(against_curve), _chance(against_walk)) <= max(LEVEL / beside, 1 / (DRAWS + 1))


def _chance(statistics: Floats) -> float:
    """Give how often draws are as extreme as the first column, by the most extreme of the rows (rows, 1 + draws)."""
    spread = np.std(statistics, axis=1, keepdims=True)
    standard = (statistics - np.mean(statistics, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    most = standard.max(axis=0)
    return float(np.mean(most >= most[0]))


@dataclass(frozen=True, slots=True)
class _Curve:
    memory: float
    base: Floats  # orthonormal, whitened (n, p)


@dataclass(frozen=True, slots=True)
class _Bent:
    memory: float
    base: Floats  # orthonormal, whitened (n, p)
    bends: Floats  # unit steps and kinks, whitened, orthogonal to the base (n, q)
    likeness: Floats  # of the bends (q, q)


class _Bench:
    """Fits of one length of series."""

    def __init__(self, count: int) -> None:
        self.count = count
        curves = _curves(count)
        self._curves = [_Curve(m, _orthogonal(_white(c, m))) for m in MEMORIES for c in curves]
        self._bent = [_bent(memory, curve) for memory in MEMORIES for curve in curves[:3]]

    def curves(self, values: Floats, draw: np.random.Generator) -> Floats:
        """Give the series and draws of the curve that explains it best (n, 1 + draws)."""
        fits = [_fit(values[:, None], one)[0] + 2 * one.base.shape[1] for one in self._curves]
        best = self._curves[int(np.argmin(fits))]
        target = _white(values, best.memory)
        curve = best.base @ (best.base.T @ target)
        spread = np.sqrt(np.sum((target - curve) ** 2) / max(1, self.count - best.base.shape[1]))
        drawn = _coloured(curve[:, None] + spread * draw.normal(size=(self.count, DRAWS)), best.memory)
        return np.column_stack([values, drawn])

    def least(self, series: Floats) -> Floats:
        """Give the best fit of all curves (columns,)."""
        return np.asarray(np.min([_fit(series, one) for one in self._curves], axis=0))

    def changed(self, series: Floats) -> Floats:
        """Give the best fit with steps and kinks, priced (prices, columns)."""
        logs = np.log(self.count)
        best = np.full((len(PRICES), series.shape[1]), np.inf)
        for one in self._bent:
            for bends, rest in enumerate(_greedy(_white(series, one.memory), one)):
                fit = self.count * np.log(np.maximum(rest, TINY)) - np.log(1 - one.memory**2)
                for place, price in enumerate(PRICES):
                    best[place] = np.minimum(best[place], fit + logs * (one.base.shape[1] + price * bends))
        return best


def _fit(series: Floats, curve: _Curve) -> Floats:
    target = _white(series, curve.memory)
    rest = np.sum(target**2, axis=0) - np.sum((curve.base.T @ target) ** 2, axis=0)
    return np.asarray(len(series) * np.log(np.maximum(rest, TINY)) - np.log(1 - curve.memory**2))


def _greedy(target: Floats, bent: _Bent) -> Iterator[Floats]:
    """Give the residual sum of squares with 0 to MOST bends (columns,), each the best beside those before it."""
    columns = np.arange(target.shape[1])
    rest = np.sum(target**2, axis=0) - np.sum((bent.base.T @ target) ** 2, axis=0)
    yield rest
    slopes = bent.bends.T @ target
    free = np.ones_like(slopes)
    taken: list[Floats] = []
    for _ in range(min(MOST, len(slopes))):
        gain = np.where(free > 1e-3, slopes**2 / np.maximum(free, 1e-3), 0.0)
        best: Places = np.argmax(gain, axis=0)
        rest = rest - gain[best, columns]
        yield rest
        column = bent.likeness[:, best]
        for before in taken:
            column = column - before * before[best, columns]
        column = column / np.sqrt(np.maximum(free[best, columns], 1e-3))
        slopes = slopes - column * (slopes[best, columns] / np.sqrt(np.maximum(free[best, columns], 1e-3)))
        free = free - column**2
        taken.append(column)


def _bent(memory: float, curve: Floats) -> _Bent:
    count = len(curve)
    places = np.unique(np.linspace(2, count - 2, min(PLACES, count - 3)).astype(int))
    since = np.arange(count)[:, None] - places
    base = _orthogonal(_white(curve, memory))
    bends = _white(np.hstack([(since >= 0).astype(float), np.maximum(0, since) / count]), memory)
    bends = bends - base @ (base.T @ bends)
    length = np.sqrt(np.sum(bends**2, axis=0))
    bends = bends / np.where(length > 1e-6, length, np.inf)
    return _Bent(memory, base, bends, bends.T @ bends)


def _curves(count: int) -> list[Floats]:
    place, one = np.linspace(-1, 1, count), np.ones(count)
    straight = [np.column_stack([place**power for power in range(degree + 1)]) for degree in range(3)]
    return straight + [np.column_stack([one, np.exp(bend * (place - 1))]) for bend in BENDS]


def _orthogonal(columns: Floats) -> Floats:
    return np.asarray(np.linalg.qr(columns)[0])


def _white(series: Floats, memory: float) -> Floats:
    """Take out what each point remembers of the one before (Prais and Winsten)."""
    found = series.copy()
    found[1:] -= memory * series[:-1]
    found[0] *= np.sqrt(1 - memory**2)
    return found


def _coloured(series: Floats, memory: float) -> Floats:
    """Undo ``_white``."""
    found = series.copy()
    found[0] /= np.sqrt(1 - memory**2)
    for place in range(1, len(found)):
        found[place] += memory * found[place - 1]
    return found


def _walks(values: Floats, draw: np.random.Generator) -> Floats:
    """Give the series and draws of random walks with its drift and its scatter (n, 1 + draws)."""
    steps = np.diff(values)
    drawn = np.cumsum(steps.mean() + steps.std() * draw.normal(size=(len(steps), DRAWS)), axis=0)
    return np.column_stack([values, np.vstack([np.zeros(DRAWS), drawn]) + values[0]])


def _walk_fit(series: Floats) -> Floats:
    steps = np.diff(series, axis=0)
    rest = np.sum((steps - steps.mean(axis=0)) ** 2, axis=0)
    return np.asarray(len(series) * np.log(np.maximum(rest, TINY)))


def _uneven(steps: Floats) -> Floats:
    """Give how far the scatter before a place differs most from that after it; single large steps count as 3."""
    count = len(steps)
    apart = steps - np.median(steps, axis=0)
    usual = 1.4826 * np.median(np.abs(apart), axis=0)
    squares = np.clip(apart / np.where(usual > 0, usual, 1.0), -3, 3) ** 2
    sums = np.abs(np.cumsum(squares - squares.mean(axis=0), axis=0))
    part = np.arange(1, count + 1)[:, None] / count
    edge = min(max(3, count // 20), (count - 1) // 2)
    inner = (sums / np.sqrt(part * (1 - part) + 1e-9))[edge : count - edge]
    return np.asarray(inner.max(axis=0) / (np.std(squares, axis=0) + TINY))
