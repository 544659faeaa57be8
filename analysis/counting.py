"""What counts as what: one versioned object, whose version is printed on every verdict.

People dispute the counting before they dispute the mathematics, so every rule is here and none of
them can be set per site.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics import Floats
from collector.model.run import BAD, MEASURED, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingRules:
    """The rules. Times in seconds, shares and rates between 0 and 1.

    A retry is a run like any other. ``ok`` and ``slow`` are samples. ``timeout`` is a lower bound:
    it counts as slow when its limit is above the threshold, and as bad. ``failed`` and ``dropped``
    are bad. ``not_ready`` and ``broken`` say nothing of the service: they are left out of every
    rate and reported as data quality. So are ``mixed`` runs, whose access changed on the way: whatever
    they measured belongs to no access (``analysis.window.set_apart``).
    """

    version: str = "2"  # 2: the log of a session's machine gives ends their causes
    measured: frozenset[Outcome] = MEASURED
    bad: frozenset[Outcome] = BAD
    left_out: frozenset[Outcome] = frozenset({Outcome.NOT_READY, Outcome.BROKEN})
    minimum_excess_seconds: float = 0.1  # below it nobody at a desk can tell
    minimum_excess_share: float = 0.25  # of the expected duration
    blamed_share: float = 0.2  # a layer with less of the excess is not blamed
    blamed_low: float = 0.1  # nor one whose interval reaches below this
    blamed_of_largest: float = 0.4  # nor one far behind the largest share
    cleared_share: float = 0.1  # a layer whose interval stays below is cleared
    trimmed: float = 0.1  # of the runs at each end, before a mean is taken

    def threshold(self, expected: float, high: float) -> float:
        """Give the duration above which a run counts as slow against a learned expectation."""
        return max(high, expected + self.material(expected))

    def thresholds(self, expected: Floats, high: Floats) -> Floats:
        """Give ``threshold`` of many at once; NaN stays NaN."""
        material = np.maximum(self.minimum_excess_seconds, self.minimum_excess_share * expected)
        return np.maximum(high, expected + material)

    def material(self, expected: float) -> float:
        """Give the smallest excess that matters for a step that is expected to take ``expected``."""
        return max(self.minimum_excess_seconds, self.minimum_excess_share * expected)


RULES = CountingRules()
