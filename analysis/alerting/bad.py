"""Which runs are bad for a limit, and the law of n of the last m.

A duration that was cut off is known to be at least so long: above the limit it is bad, below it nobody knows.
"""

import numpy as np

from analysis.alerting.rule import Limit, RunsRule
from analysis.series import Bools, Series
from analysis.statistics import Floats


def thresholds(series: Series, limit: Limit, expected: float | None) -> Floats:
    """Give the limit of each run in seconds; NaN where there is nothing to hold it against."""
    if limit.seconds is not None:
        return np.full(len(series), limit.seconds)
    if limit.times_target is not None:
        return series.target * limit.times_target
    if limit.times_expected is not None and expected is not None:
        return np.full(len(series), expected * limit.times_expected)
    return np.full(len(series), np.nan)


def judged(series: Series, limit: Limit, expected: float | None, *, failures_are_bad: bool) -> Floats:
    """Give 1 for a bad run, 0 for a good one, NaN for one that cannot be told."""
    if limit.failed:
        return series.bad.astype(float)
    most = thresholds(series, limit, expected)
    longer = series.seconds > most
    at_least = series.censored & (series.seconds >= most)
    found = np.where(longer | at_least, 1.0, 0.0)
    found[np.isnan(most) | np.isnan(series.seconds) | (series.bad & ~at_least)] = np.nan
    if failures_are_bad:
        found[series.bad] = 1.0
    return found


def fires(bad: Bools, rule: RunsRule) -> bool:
    """Say whether n of the last m were bad; fewer than m are enough when n of them were."""
    return int(bad[-rule.of :].sum()) >= rule.bad


def ended(bad: Bools, rule: RunsRule) -> bool:
    """Say whether so many of the last were good that an alert ends. Never without runs."""
    return int((~bad[-rule.good_among :]).sum()) >= rule.good_needed


def out_of_reach(bad: Bools, rule: RunsRule) -> bool:
    """Say whether n of m cannot be, whatever the runs are that are missing to m. Never without runs."""
    return int((~bad[-rule.of :]).sum()) > rule.of - rule.bad
