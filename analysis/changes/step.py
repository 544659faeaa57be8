"""Is there a step in a row of days at a known place, and how sure is that?

Mathematics. The levels of days are y = X b + noise: a constant, the step, and one constant for each day of the week
where there are enough weeks. The noise is normal, with a covariance that is a scale times

    (1 - s) I  +  s * phi^|i - j|  +  r * u u'

white scatter, a part that outlasts the day (phi up to 0.995: as good as a random walk within months), and a straight
drift of unknown slope (u runs from -1 to 1). Neither s, phi nor r is known, and to plug in one guess makes intervals
that are too narrow. So each of a grid of them is fitted by generalised least squares, scale and coefficients
integrated out (Student's t with n - p degrees of freedom, reference prior), and weighted by its restricted likelihood.
The answer is the mixture of the t's: wide where the days could be drifting, narrow where they show that they are not.

Limits. The step is at once and stays. What changed on the same day belongs to the step, whatever its cause. A drift
that bends at the step, or a season longer than the days seen, is not told from it.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

LASTING = (0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.995)
SHARES = (0.2, 0.5, 0.8, 0.98)
DRIFTS = (0.0, 1.0, 10.0, 100.0)
WHITE = 0.35  # how likely it is beforehand that nothing outlasts the day
NO_DRIFT = 0.8  # how likely it is beforehand that the days have no straight drift
WEEK = 7
WEEKS = 2  # on each side, before days of the week are told apart
OUTLYING = 4.0  # robust standard deviations from the side's median; a day beyond is drawn in to there


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Student's t distributions of ``freedom`` degrees, each with its ``weight``, centre and scale (components,)."""

    weights: Floats
    centres: Floats
    scales: Floats
    freedom: int

    @property
    def centre(self) -> float:
        """Give the median."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """Give the value below which ``share`` of the mixture lies, found by bisection."""
        reach = 8.0
        low = high = 0.0
        for _ in range(40):  # until the ends are beyond it, however few the degrees
            low = float(np.min(self.centres - reach * self.scales))
            high = float(np.max(self.centres + reach * self.scales))
            if self._below(low) <= share <= self._below(high):
                break
            reach *= 4
        for _ in range(45):
            middle = (low + high) / 2
            low, high = (middle, high) if self._below(middle) < share else (low, middle)
        return (low + high) / 2

    def _below(self, value: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            standard = np.nan_to_num((value - self.centres) / self.scales)
        return float(self.weights @ student_below(standard, self.freedom))


def student_below(values: Floats, freedom: int) -> Floats:
    """Give the chance that Student's t of a whole number of degrees is below ``values`` (its closed form)."""
    angle = np.arctan(values / math.sqrt(freedom))
    squared = np.cos(angle) ** 2
    odd = freedom % 2
    places = np.arange(1, (freedom - 1 + (1 - odd)) // 2 + (1 - odd))
    terms = 2 * places / (2 * places + 1) if odd else (2 * places - 1) / (2 * places)
    terms = terms[: max(0, (freedom - 3) // 2 if odd else freedom // 2 - 1)]
    series = np.polynomial.polynomial.polyval(squared, np.concatenate([[1.0], np.cumprod(terms)]))
    if not odd:
        return np.asarray((1 + np.sin(angle) * series) / 2)
    wave = np.sin(angle) * np.cos(angle) * series if freedom > 1 else 0.0
    return np.asarray(0.5 + (angle + wave) / math.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Noise of days: of ``variance``, a ``share`` lasts with ``phi`` from day to day, beside ``drift``."""

    variance: float
    share: float
    phi: float
    drift: float

    def covariance(self, days: Floats) -> Floats:
        """Give the covariance of ``days`` (n,), over the variance."""
        apart = np.abs(days[:, None] - days)
        line = 2 * (days - days.mean()) / max(1.0, days[-1] - days[0])
        lasting = (1 - self.share) * np.eye(len(days)) + self.share * self.phi**apart
        return np.asarray(lasting + self.drift * np.outer(line, line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How large the step is, and in which noise."""

    mixture: Mixture
    noise: Noise


def step(days: Numbers, levels: Floats, after: Bools) -> Step:
    """Find the step in ``levels`` (n,) of the ``days`` (n,), whole numbers, increasing.

    ``after`` (n,) says which lie behind the step. Raises ValueError with less than 4 days on either side.
    """
    if min(np.count_nonzero(after), np.count_nonzero(~after)) < 4:
        raise ValueError("a step needs 4 days on either side")
    design = _design(days, after)
    count, columns = design.shape
    roots, prior = _roots(tuple((days - days[0]).tolist()))
    whitened = roots @ design
    target = roots @ drawn_in(levels, after)
    gram = np.swapaxes(whitened, 1, 2) @ whitened
    inverse = np.linalg.inv(gram)
    fitted = np.einsum("gpq,gnq,gn->gp", inverse, whitened, target)
    rest = np.sum((target - np.einsum("gnp,gp->gn", whitened, fitted)) ** 2, axis=1)
    freedom = count - columns
    rest = np.maximum(rest, 1e-24 * max(1.0, float(np.max(np.abs(levels)))) ** 2)
    logs = prior - np.linalg.slogdet(gram)[1] / 2 - freedom / 2 * np.log(rest)
    weights = np.exp(logs - logs.max())
    scales = np.sqrt(rest / freedom * inverse[:, 1, 1])
    best = int(np.argmax(logs))
    return Step(
        mixture=Mixture(weights=weights / weights.sum(), centres=fitted[:, 1], scales=scales, freedom=freedom),
        noise=replace(NOISES[best][0], variance=float(rest[best]) / freedom),
    )


def foreseen(noise: Noise, ahead: int, level: float) -> float:
    """Give how far the interval would reach on either side with so many days on either side of the step."""
    days = np.arange(2 * ahead)
    design = _design(days, days >= ahead)
    whitened = np.linalg.solve(np.linalg.cholesky(noise.covariance(days.astype(float))), design)
    spread = float(np.linalg.inv(whitened.T @ whitened)[1, 1]) * noise.variance
    return NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(spread)


def drawn_in(levels: Floats, after: Bools) -> Floats:
    """Draw in days that lie far from the median of their side: an outage for a day is not the level."""
    centres = np.where(after, np.median(levels[after]), np.median(levels[~after]))
    apart = levels - centres
    limit = OUTLYING * 1.4826 * float(np.median(np.abs(apart)))
    return np.asarray(centres + np.clip(apart, -limit, limit)) if limit > 0 else levels


def _design(days: Numbers, after: Bools) -> Floats:
    """Give the columns: a constant, the step, and days of the week where each side has enough of each."""
    weekday = days % WEEK
    seen = [np.bincount(weekday[side], minlength=WEEK).min() for side in (after, ~after)]
    columns = [np.ones(len(days)), after.astype(float)]
    if min(seen) >= WEEKS:
        columns += [(weekday == day).astype(float) - (weekday == 0) for day in range(1, WEEK)]
    return np.column_stack(columns)


def _noises() -> list[tuple[Noise, float]]:
    """Give every noise that is thought of, of variance 1, with how likely it is beforehand."""
    shares = [(0.0, 0.0, WHITE)]
    shares += [(share, phi, (1 - WHITE) / (len(LASTING) * len(SHARES))) for phi in LASTING for share in SHARES]
    drifts = [(drift, (1 - NO_DRIFT) / (len(DRIFTS) - 1) if drift else NO_DRIFT) for drift in DRIFTS]
    return [
        (Noise(variance=1.0, share=share, phi=phi, drift=drift), one * other)
        for share, phi, one in shares
        for drift, other in drifts
    ]


NOISES = _noises()


@lru_cache(maxsize=16)
def _roots(days: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Give inverse Cholesky roots of the covariances (grid, n, n), and log prior minus half log determinant (grid,)."""
    places = np.array(days, dtype=float)
    cholesky = np.linalg.cholesky(np.array([noise.covariance(places) for noise, _ in NOISES]))
    determinants = np.sum(np.log(np.diagonal(cholesky, axis1=1, axis2=2)), axis=1)
    return np.linalg.inv(cholesky), np.log([prior for _, prior in NOISES]) - determinants
