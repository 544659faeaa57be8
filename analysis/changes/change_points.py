"""When did a series change? Or did it not?

Mathematics. Season and single outliers are taken out (``seasons``). A series of which a smooth curve leaves
less than a twentieth has no change that matters, however certain. Then whatever explains the series without a change
has to be refuted (``unchanged``); otherwise the answer is: none. If it is, ``segments`` gives many
ways to cut the series, with and without its season, each with a weight, and the answer is the one that agrees best
with all of them: the highest mean, over the weights, of the share of cuts in common (F1, within 2 % of the length)
and of the overlap of segments (the covering). So a cut that only one idea of a segment sees is not reported, and one
that most see is reported where most see it.

Limits. Changes of scatter alone are not looked for. Two changes closer than 2 % of the length count as one. Several
series (columns) are looked at one by one, with the level shared among them: a change too small for each is not seen.
"""

from collections import defaultdict

import numpy as np

from analysis.changes.seasons import standard, without_outliers, without_season
from analysis.changes.segments import Cuts, pool
from analysis.changes.unchanged import refuted, smooth
from analysis.statistics import Floats

LEAST = 12  # points
MATTERS = 0.05  # of the standard deviation, which a smooth curve must leave
NEAR = 0.02  # of the length, within which two cuts are the same


def change_points(values: Floats) -> list[int]:
    """Give the first places of new segments of ``values`` (n,) or (n, columns), gaps as NaN; empty for no change."""
    columns = values[:, None] if values.ndim == 1 else values
    weights: dict[Cuts, float] = defaultdict(float)
    for column in columns.T:
        if np.count_nonzero(np.isfinite(column)) >= LEAST:
            for cuts, weight in _ways(standard(column), columns.shape[1]).items():
                weights[cuts] += weight
    weights.pop((), None)
    return list(_agreed(dict(weights), len(columns)))


def _ways(values: Floats, beside: int) -> dict[Cuts, float]:
    """Give the ways to cut one series, one of ``beside``; none where nothing has to have changed."""
    steady = without_season(values)
    clean = without_outliers(steady)
    if smooth(clean) < MATTERS or not refuted(clean, beside):
        return {}
    found: dict[Cuts, float] = defaultdict(float)
    for series in (clean, clean if steady is values else without_outliers(values)):
        for cuts, weight in pool(series).items():
            found[cuts] += weight
    return found


def _agreed(weights: dict[Cuts, float], count: int) -> Cuts:
    """Give the cuts that agree best with all, by their weights."""
    candidates = sorted(weights)
    if not candidates:
        return ()
    near = max(1, round(NEAR * count))
    share = np.array([weights[cuts] for cuts in candidates])
    agreement = [
        [_common(one, other, near) + _overlap(one, other, count) for other in candidates] for one in candidates
    ]
    return candidates[int(np.argmax(np.array(agreement) @ share))]


def _common(one: Cuts, other: Cuts, near: int) -> float:
    """Give the F1 of two sets of cuts, the beginning being one: twice those in common over all."""
    free, common = [0, *other], 0
    for cut in (0, *one):
        close = [place for place in free if abs(place - cut) <= near]
        if close:
            free.remove(min(close, key=lambda place: (abs(place - cut), place)))
            common += 1
    return 2 * common / (len(one) + len(other) + 2)


def _overlap(one: Cuts, other: Cuts, count: int) -> float:
    """Give how well the segments of ``one`` cover those of ``other``: the best Jaccard index of each, by length."""
    begins, ends = np.array([0, *one]), np.array([*one, count])
    starts, stops = np.array([[0, *other]]).T, np.array([[*other, count]]).T
    both = np.maximum(0, np.minimum(ends, stops) - np.maximum(begins, starts))
    either = np.maximum(ends, stops) - np.minimum(begins, starts)
    best = np.max(np.where(both > 0, both / either, 0.0), axis=1)
    return float(np.sum(best * (stops - starts)[:, 0]) / count)
