"""How closely one course follows another, beyond what chance and neighbours do: correlations with negative controls.

Mathematics. Courses are values per interval, in units of their own shift (0 quiet, 1 as in the episode), clipped to
-1/2 and 2 so that no outlier decides. Both are freed of their mean and of what is given (how many people were at work)
by least squares; r is the correlation of what is left, the largest over the lags. The same is done with controls: the
course itself, shifted circularly in time by more than either remembers, and the courses of what cannot be behind it.
The p-value is the rank among them, (1 + as close) / (1 + all). Neighbouring shifts resemble each other, so the rank
alone rules out chance too easily: a course goes along when it also stands 3.5 standard deviations above the controls
(of Fisher's z). Of courses that have nothing to do with each other 1 to 5 in 100 do so (60 and 100 intervals, white,
autoregressive and on and off); by rank alone up to 22 in 100 did.

Limits. Courses must be of a time of one kind: a shift across an onset compares quiet with trouble, and is beaten too
easily. What remains constant has no course to follow. A strictly periodic fault is as close to itself one period later:
its p-value is large, and nothing is concluded.
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.statistics import Floats

EARLIER, LATER = 2, 1  # a metric may come so many intervals before the step, and its sample one after
LEAST_CONTROLS = 19  # fewer cannot be beaten at 5 %
CHANCE, BEYOND, LEAST_R = 0.05, 3.5, 0.3
FORGOTTEN = 0.2  # where an autocorrelation is this small, a shift is another time
LOW, HIGH = -0.5, 2.0
SURE = 1.645  # standard errors, one-sided
CLOSEST = 0.999  # a correlation, where Fisher's z has no end


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """The closest correlation and the lag, in intervals, by which the metric leads there; how many controls came as
    close, and how many of their standard deviations it stands above their mean.
    """

    r: float
    lag: int
    beyond: float
    as_close: int
    controls: int
    short: bool

    @property
    def enough(self) -> bool:
        """Say whether there are so many controls that chance can be ruled out."""
        return self.controls >= LEAST_CONTROLS

    @property
    def p(self) -> float:
        """Give the rank among the controls; 1 where there are too few to say."""
        return (1 + self.as_close) / (1 + self.controls) if self.enough else 1.0

    @property
    def along(self) -> bool:
        """Say whether the metric goes along, and neither chance nor the controls do so."""
        return self.p <= CHANCE and self.beyond >= BEYOND and self.r >= LEAST_R


def scaled(values: Floats, quiet: Floats | float, during: Floats | float) -> Floats:
    """Give values in units of the shift from ``quiet`` to ``during``, clipped."""
    return np.asarray(np.clip((values - quiet) / (np.asarray(during) - quiet), LOW, HIGH))


def freed(courses: Floats, given: Floats) -> Floats:
    """Give what the rows of ``given`` do not explain of ``courses`` (rows too)."""
    base = _base(given)
    return np.asarray(courses - (courses @ base.T) @ base)


def associations(target: Floats, courses: Floats, given: Floats, others: Floats) -> list[Association]:
    """Hold each of ``courses`` (rows) against ``target``; ``others`` are courses that cannot be behind it."""
    base = _base(given)
    left = target - (base @ target) @ base
    near = _correlations(left, courses, base)
    plain = _correlations(target - target.mean(), courses, _base(given[:0]))
    lags = [*range(-LATER, EARLIER + 1)]
    elsewhere = _correlations(left, others, base)[:, lags].max(axis=1) if len(others) else np.zeros(0)
    reach = memory(left)
    found = []
    for course, correlation, whole in zip(courses, near, plain, strict=True):
        mine = freed(course[None, :], given)[0]
        shifted = _shifted(correlation, max(reach, memory(mine)))
        controls = np.concatenate([shifted, elsewhere])
        best = int(np.argmax(correlation[lags]))
        r = float(correlation[lags][best])
        close, beyond = int(np.count_nonzero(controls >= r)), _beyond(r, controls)
        short = _short(float(whole[lags].max()), target, course)
        found.append(
            Association(r=r, lag=lags[best], beyond=beyond, as_close=close, controls=len(controls), short=short)
        )
    return found


def memory(course: Floats) -> int:
    """Give the first lag at which a course no longer resembles itself."""
    power = np.abs(np.fft.rfft(course - course.mean(), 2 * len(course))) ** 2
    like = np.fft.irfft(power)[: len(course)]
    if like[0] <= 0:
        return 0
    return int(np.argmax(like / like[0] < FORGOTTEN))


def _short(r: float, one: Floats, other: Floats) -> bool:
    """Say whether two courses are surely less close than two noisy sightings of one and the same would be.

    How like itself a course is an interval later is the least share of it that is no noise.
    """
    mine, theirs = _next(one), _next(other)
    expected, together = math.sqrt(mine * theirs), mine * theirs
    alone = len(one) * (1 - together) / (1 + together) - 3  # values that do not remember each other
    if alone <= 0:
        return False
    return math.atanh(min(r, CLOSEST)) < math.atanh(min(expected, CLOSEST)) - SURE / math.sqrt(alone)


def _next(course: Floats) -> float:
    left = course - course.mean()
    whole = float(left @ left)
    return max(0.0, float(left[:-1] @ left[1:]) / whole) if whole > 0 else 0.0


def _beyond(r: float, controls: Floats) -> float:
    z, others = np.arctanh(np.clip(r, -CLOSEST, CLOSEST)), np.arctanh(np.clip(controls, -CLOSEST, CLOSEST))
    spread = float(others.std()) if len(others) else 0.0
    return float(z - others.mean()) / spread if spread > 0.0 else 0.0


def _correlations(left: Floats, courses: Floats, base: Floats) -> Floats:
    """Give courses x shifts: the partial correlation with each course when it comes so many intervals later."""
    count = len(left)
    turned = np.conj(np.fft.rfft(courses - courses.mean(axis=1, keepdims=True)))
    shared = np.fft.irfft(np.fft.rfft(left) * turned, count)
    explained = np.zeros_like(shared)
    for one in base:
        explained += np.fft.irfft(np.fft.rfft(one) * turned, count) ** 2
    own = ((courses - courses.mean(axis=1, keepdims=True)) ** 2).sum(axis=1, keepdims=True)
    free = np.sqrt(np.maximum(own - explained, 1e-9 * np.maximum(own, 1e-300)) * max(float(left @ left), 1e-300))
    return np.asarray(np.where(own > 0, shared / free, 0.0))


def _shifted(correlation: Floats, reach: int) -> Floats:
    """Give the largest correlation over the lags around each shift by more than ``reach``."""
    width = LATER + EARLIER + 1
    far = correlation[reach + width : len(correlation) - reach - width + 1]
    if len(far) < width:
        return np.zeros(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(far, width).max(axis=1))


def _base(given: Floats) -> Floats:
    """Give orthonormal rows that span a constant and the rows of ``given``."""
    rows = np.vstack([np.ones(given.shape[1]), given])
    _, sizes, right = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(right[sizes > 1e-9 * sizes[0]])
