"""What is taken out of a series before changes are looked for: gaps, its season, single outliers.

A season is accepted only if it explains 40 % of what a moving average leaves, also in the second half when learned from
the first. It may change slowly: what is taken out is the median of the seven nearest cycles at the same place. A point
further than 5 robust standard deviations from the median of its seven neighbours is replaced by that median.
"""

import numpy as np

from analysis.statistics import Floats

ACCEPTED = 0.4
BETTER = 0.02  # a longer period must explain so much more than a shorter one
LONGEST = 100
CYCLES = 7
NEIGHBOURS = 3  # on either side
OUTLYING = 5.0


def standard(values: Floats) -> Floats:
    """Fill gaps (NaN) along straight lines, and give the series (n,) with mean 0 and standard deviation 1."""
    known = np.isfinite(values)
    places = np.arange(len(values))
    filled = np.interp(places, places[known], values[known])
    spread = float(np.std(filled))
    return np.asarray((filled - filled.mean()) / (spread if spread > 0 else 1.0))


def without_season(values: Floats) -> Floats:
    """Take out the season, if there is one."""
    period = _period(values)
    if period == 0:
        return values
    apart, count = values - _moving(values, period), len(values)
    found = values.copy()
    for place in range(count):
        same = np.arange(place % period, count, period)
        near = same[np.argsort(np.abs(same - place), kind="stable")[:CYCLES]]
        found[place] -= np.median(apart[near])
    return found


def without_outliers(values: Floats) -> Floats:
    """Replace single outliers (Hampel's filter); a short series has none to spare."""
    if len(values) < 30:
        return values
    padded = np.pad(values, NEIGHBOURS, mode="reflect")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    middle = np.median(around, axis=1)
    near = np.median(np.abs(around - middle[:, None]), axis=1)
    usual = float(np.median(np.abs(values - middle)))
    limit = OUTLYING * 1.4826 * np.maximum(near, usual) + 1e-12
    return np.where(np.abs(values - middle) > limit, middle, values)


def _period(values: Floats) -> int:
    """Give the length of the season in samples; 0 for none."""
    best, found = ACCEPTED, 0
    for period in range(4, int(min(len(values) / 5, LONGEST)) + 1):
        score = _explained(values - _moving(values, period), period)
        if score > best:
            best, found = score + BETTER, period
    return found


def _explained(apart: Floats, period: int) -> float:
    """Give the share of the scatter that the season explains: adjusted, and in the second half from the first."""
    count, half = len(apart), len(apart) // 2
    place = np.arange(count) % period
    if min(float(np.var(apart)), float(np.var(apart[half:]))) <= 0:
        return 0.0
    whole = np.bincount(place, apart) / np.bincount(place)
    first = np.bincount(place[:half], apart[:half]) / np.bincount(place[:half])
    unexplained = float(np.mean((apart - whole[place]) ** 2) / np.var(apart))
    ahead = float(np.mean((apart[half:] - first[place[half:]]) ** 2) / np.var(apart[half:]))
    return min(1 - unexplained * (count - 1) / max(1, count - period), 1 - ahead)


def _moving(values: Floats, period: int) -> Floats:
    """Give the centred average over one period."""
    weights = np.ones(period + 1 - period % 2)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    padded = np.pad(values, period // 2, mode="reflect")
    return np.convolve(padded, weights / weights.sum(), "valid")[: len(values)]
