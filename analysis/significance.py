"""Is a slow stretch more than what hours and single runs differ by when nothing is the matter?

Mathematics. Where an hour has a band of its own, history says how far hours of a kind lie apart (``between``, the
scatter of the logarithms of their medians) and how far runs of one hour do (``within``). A stretch of n runs counts
when their median, as the logarithm of seconds over what was expected of each, is beyond hypot(4 between, 5 e) with
e = 1.2533 within / sqrt(n), the standard error of a median: few runs must be far slower, many a little less far.

Limits. Both scatters are of normal logarithms; a heavier tail of whole hours gives more false verdicts. Without bands
of hours nothing is said, and every stretch counts.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.expectation import Band
from analysis.series import Series
from analysis.statistics import Floats
from analysis.watch import Stretch

HOURS, RUNS = (
    4.0,
    5.0,
)  # standard errors: there are hundreds of thousands of looks in a month, at the worst runs of each
MEDIAN = 1.2533  # standard error of a median of normal values, over that of their mean


def significant(
    stretches: Sequence[Stretch], series: Series, mid: Floats, bands: Mapping[np.datetime64, Band]
) -> tuple[Stretch, ...]:
    """Leave out what chance explains; ``bands`` are those of hours, ``mid`` what is expected of each row."""
    return tuple(one for one in stretches if _counts(one, series, mid, bands))


def _counts(stretch: Stretch, series: Series, mid: Floats, bands: Mapping[np.datetime64, Band]) -> bool:
    rows = np.arange(stretch.first, stretch.last + 1)
    rows = rows[series.timed[rows] & (mid[rows] > 0) & (series.seconds[rows] > 0)]
    hours = np.unique(series.slots[rows].astype("datetime64[h]"))
    told = [bands[hour] for hour in hours if hour in bands]
    if not len(rows) or len(told) < len(hours):
        return True
    between, within = (max(getattr(band, name) for band in told) for name in ("between", "within"))
    level = float(np.median(np.log(series.seconds[rows] / mid[rows])))
    return level > float(np.hypot(HOURS * between, RUNS * MEDIAN * within / np.sqrt(len(rows))))
