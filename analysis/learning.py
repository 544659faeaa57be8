"""What the quiet runs so far teach, for many places of a series at once.

Runs are learned only when they are ``LONGEST`` units old and lie in no stretch. As long as no
stretch starts or ends, what is learned at later places is known beforehand: so it is computed for a
whole row of places together, with the same numbers as place by place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.expectation import MAD, SPREADS, Band, pooled
from analysis.series import Bools, Rows, Series
from analysis.settings import AnalysisSettings
from analysis.statistics import Floats
from analysis.watch import LONGEST, Stretch

UNITS = 2000  # a series with more runs is judged by the medians of so many short stretches of runs
BLOCKS = 60  # at most about so many expectations are computed for one series
BLOCK = 5  # units judged by one expectation, at least


def unit_size(rows: int) -> int:
    """Say how many consecutive rows are judged at once."""
    return max(1, -(-rows // UNITS))


def block_size(units: int) -> int:
    """Say how many units are judged by one expectation."""
    return max(BLOCK, units // BLOCKS)


def quiet(count: int, stretches: Sequence[Stretch]) -> Bools:
    """Say which of ``count`` units lie in no stretch; one that is open has no end yet."""
    keep = np.ones(count, dtype=bool)
    for stretch in stretches:
        keep[stretch.first : None if stretch.open else stretch.last + 1] = False
    return keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """The timed rows of a series, in units of ``size``."""

    series: Series
    rows: Rows
    size: int
    settings: AnalysisSettings

    def levels(self, begins: Rows, stretches: Sequence[Stretch]) -> tuple[Floats, Floats]:
        """Give middle and top of the band in force from each of these units on; NaN where none is learned."""
        known = self._known(stretches)
        last = np.searchsorted(known, np.maximum(begins - LONGEST, 0))
        first = np.maximum(last - self.settings.baseline_recent_runs, 0)
        enough = (last - first) * self.size >= max(1, self.settings.baseline_runs)
        mid, high = np.full(len(begins), np.nan), np.full(len(begins), np.nan)
        if enough.any():
            mid[enough], high[enough] = self._pooled(known, first[enough], last[enough])
        return mid, high

    def band(self, begin: int, stretches: Sequence[Stretch]) -> Band:
        """Give the band in force from unit ``begin`` on, where ``levels`` has one."""
        known = self._known(stretches)
        last = int(np.searchsorted(known, max(begin - LONGEST, 0)))
        units = known[max(0, last - self.settings.baseline_recent_runs) : last]
        recent = self._rows_of(units).ravel()
        return pooled(self.series.seconds[recent], self.series.censored[recent].astype(float))

    def _known(self, stretches: Sequence[Stretch]) -> Rows:
        return np.flatnonzero(quiet(len(self.rows) // self.size, stretches))

    def _rows_of(self, units: Rows) -> Rows:
        return np.asarray(self.rows[units[..., None] * self.size + np.arange(self.size)])

    def _pooled(self, known: Rows, first: Rows, last: Rows) -> tuple[Floats, Floats]:
        """Give middle and top of ``expectation.pooled`` of each window ``first`` to ``last`` of known units."""
        longest = int((last - first).max())
        places = last[:, None] - longest + np.arange(longest)
        seconds = self.series.seconds[self._rows_of(known[np.maximum(places, 0)])]
        seconds = np.where((places >= first[:, None])[..., None], seconds, np.inf).reshape(len(first), -1)
        counts = (last - first) * self.size
        ordered = np.sort(seconds, axis=1)
        mid, upper = _quantiles(ordered, counts, 0.5), _quantiles(ordered, counts, 0.9)
        spread = SPREADS * MAD * _quantiles(np.sort(np.abs(ordered - mid[:, None]), axis=1), counts, 0.5)
        return mid, np.maximum(upper, mid + spread)


def _quantiles(ordered: Floats, counts: Rows, share: float) -> Floats:
    """Interpolate between the first ``counts`` order statistics of each row."""
    place = share * (counts - 1)
    below = place.astype(np.intp)
    each = np.arange(len(ordered))
    low, high = ordered[each, below], ordered[each, np.minimum(below + 1, counts - 1)]
    return np.asarray(low + (place - below) * (high - low))
