"""How long sessions live before they drop, when many have not dropped yet; and whether a change altered that.

Mathematics. Every life is counted while it is watched: from ``entry`` (0, unless it was already under way when the
period began) to ``seconds``, where it ended or is censored (still open, or closed by something that is no drop).
``kaplan_meier`` is the product of 1 - d/n over the ends, with Greenwood's variance and an interval on the scale
log(-log S). ``log_rank`` compares two groups at every end by the hypergeometric law. ``hazard_ratio`` is Cox's partial
likelihood with one covariate, 0 or 1, ties as Efron; its standard error is the sandwich of Lin and Wei, summed within
``cluster``: lives of one endpoint resemble each other and are not so many pieces of evidence. ``rate_ratio`` is
exact: given their sum, the ends after are binomial.

Limits. Censoring must not be a sign of a drop to come (a session closed because it hung is one). A hazard ratio
is one number for the whole life: if curves cross it is an average that depends on the censoring. The robust error
needs clusters, 20 and more a group; with fewer it is too small. Log-rank and exact rates know no clusters.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from analysis.statistics import Floats, Places, bounded, rate_interval
from collector.model.verdict import Interval

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_STEPS = 50  # of Newton; it takes about 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """Lives of sessions, one a row.

    ``seconds`` (n,): how long it had lived when last seen. ``ended`` (n,): it ended then; otherwise it lived on.
    ``entry`` (n,): how long it had lived when first seen; all 0 if left out. A life must be seen longer than that.
    ``cluster`` (n,): whose it is, any whole number; every life its own if left out.
    Raises ValueError if lengths differ, or a life is not longer than its entry.
    """

    seconds: Floats
    ended: Bools
    entry: Floats | None = None
    cluster: Numbers | None = None

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.seconds, self.ended, self.entry, self.cluster) if column is not None}
        if len(lengths) > 1:
            raise ValueError(f"columns of {sorted(lengths)} rows are not lives of the same sessions")
        if not np.all(self.seconds > self.begun):
            raise ValueError("a life must be seen longer than it had lived at its entry")

    @property
    def begun(self) -> Floats:
        """Give how long each had lived when first seen, in seconds."""
        return np.zeros(len(self.seconds)) if self.entry is None else self.entry

    @property
    def owners(self) -> Numbers:
        """Give whose each life is."""
        return np.arange(len(self.seconds)) if self.cluster is None else self.cluster

    def of(self, rows: Bools | Places) -> "Lives":
        """Give some of the lives."""
        entry = None if self.entry is None else self.entry[rows]
        cluster = None if self.cluster is None else self.cluster[rows]
        return replace(self, seconds=self.seconds[rows], ended=self.ended[rows], entry=entry, cluster=cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Which share lives on after each time at which some ended; all columns (times,), ``seconds`` increasing."""

    seconds: Floats
    at_risk: Numbers
    ended: Numbers
    share: Floats
    low: Floats
    high: Floats

    def quantile(self, share: float) -> tuple[float, float, float]:
        """Give by when the ``share`` of lives ended, with its interval, in seconds; infinite: not while we watched."""
        return (self._falls(self.share, share), self._falls(self.low, share), self._falls(self.high, share))

    def _falls(self, curve: Floats, share: float) -> float:
        """Give the first time at which the curve is at most 1 - share; between two where it lies exactly on it."""
        reached = np.flatnonzero(curve <= 1 - share + 1e-9)
        if len(reached) == 0:
            return math.inf
        first = int(reached[0])
        flat = abs(curve[first] - (1 - share)) < 1e-9 and first + 1 < len(curve)
        return float((self.seconds[first] + self.seconds[first + 1]) / 2 if flat else self.seconds[first])


def kaplan_meier(lives: Lives, level: float = 0.95) -> Curve:
    """Estimate the curve of survival; empty where none has ended."""
    risk = _risk(lives, np.zeros(len(lives.seconds), dtype=bool))
    share = np.cumprod(1 - risk.ended / risk.at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(risk.ended / (risk.at_risk * (risk.at_risk - risk.ended)))
        wide = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(greenwood) / np.abs(np.log(share))
        low, high = share ** np.exp(wide), share ** np.exp(-wide)
    some = share > 0  # once none is left there is nothing to estimate an error from
    return Curve(
        seconds=risk.seconds,
        at_risk=risk.at_risk,
        ended=risk.ended,
        share=np.asarray(share, dtype=float),
        low=np.where(some, low, 0.0),
        high=np.where(some, high, np.nan),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """``observed`` and ``expected`` ends, before and after; ``chi_square`` of 1 degree of freedom, ``p`` its chance."""

    observed: tuple[int, int]
    expected: tuple[float, float]
    chi_square: float
    p: float


def log_rank(lives: Lives, after: Bools) -> LogRank:
    """Compare two groups, ``after`` (n,) the second. Without an end at which both were at risk p is 1."""
    risk = _risk(lives, after)
    ended, of = risk.ended, risk.at_risk
    expected = ended * risk.after_at_risk / of
    spread = expected * (1 - risk.after_at_risk / of) * (of - ended) / np.maximum(of - 1, 1)
    observed, total = int(risk.after_ended.sum()), int(ended.sum())
    mean, variance = math.fsum(expected), math.fsum(spread)
    chi = (observed - mean) ** 2 / variance if variance > 0 else 0.0
    return LogRank(
        observed=(total - observed, observed), expected=(total - mean, mean), chi_square=chi, p=chi_square_tail(chi)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardRatio:
    """How much more often lives end after than before, at the same age.

    ``log_ratio`` is Cox's coefficient, ``error`` its standard error if all lives were independent, ``robust`` the
    one summed within clusters. ``ratio`` is exp(log_ratio) with its interval by ``robust``. ``wald`` (robust),
    ``score`` and ``likelihood`` (both for independent lives) are chi-squares of 1 degree of freedom; ``p`` is of Wald.
    """

    log_ratio: float
    error: float
    robust: float
    ratio: Interval
    wald: float
    score: float
    likelihood: float
    p: float


def hazard_ratio(lives: Lives, after: Bools, level: float = 0.95) -> HazardRatio | None:
    """Estimate the hazard ratio of ``after`` (n,) to the others; None where it is 0, infinite or cannot be told."""
    risk = _risk(lives, after)
    if not _tells(risk):
        return None
    beta = 0.0
    for _ in range(_STEPS):
        _, slope, bend = _likelihood(risk, beta)
        step = slope / bend
        beta += min(1.0, max(-1.0, step))
        if abs(step) < 1e-12:
            break
    before, slope, bend = _likelihood(risk, 0.0)
    top, _, information = _likelihood(risk, beta)
    leverage = _score_residuals(lives, after, risk, beta) / information
    robust = math.sqrt(math.fsum(np.bincount(np.unique(lives.owners, return_inverse=True)[1], leverage) ** 2))
    wide = NormalDist().inv_cdf((1 + level) / 2) * robust
    wald = (beta / robust) ** 2 if robust > 0 else math.inf
    return HazardRatio(
        log_ratio=beta,
        error=1 / math.sqrt(information),
        robust=robust,
        ratio=bounded(math.exp(beta), math.exp(beta - wide), math.exp(beta + wide), level),
        wald=wald,
        score=slope**2 / bend,
        likelihood=2 * (top - before),
        p=chi_square_tail(wald),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRatio:
    """A rate after over the rate before, with its exact interval; infinite where none ended before."""

    estimate: float
    low: float
    high: float


def rate_ratio(before: tuple[int, float], after: tuple[int, float], level: float = 0.95) -> RateRatio | None:
    """Compare two rates, each (ends, exposure above 0); None where none ended on either side."""
    (ends, exposure), (later, exposed) = before, after
    if ends + later == 0:
        return None
    share = rate_interval(later, ends + later, level)
    low, estimate, high = (_odds(part) * exposure / exposed for part in (share.low, share.estimate, share.high))
    return RateRatio(estimate=estimate, low=low, high=high)


def chi_square_tail(value: float) -> float:
    """Give the chance that a chi-square of 1 degree of freedom is larger."""
    return math.erfc(math.sqrt(value / 2))


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class _Risk:
    """Who was at risk and who ended at each time of an end; all columns (times,)."""

    seconds: Floats
    at_risk: Numbers
    ended: Numbers
    after_at_risk: Numbers
    after_ended: Numbers

    @property
    def steps(self) -> tuple[Numbers, Floats]:
        """Give Efron's steps, one for each end: at which time, and which share of its ends is already counted out."""
        places = np.repeat(np.arange(len(self.ended)), self.ended)
        first = np.repeat(np.cumsum(self.ended) - self.ended, self.ended)
        return places, (np.arange(len(places)) - first) / self.ended[places]


def _risk(lives: Lives, after: Bools) -> _Risk:
    seconds = np.unique(lives.seconds[lives.ended])

    def count(rows: Bools) -> tuple[Numbers, Numbers]:
        entered = np.searchsorted(np.sort(lives.begun[rows]), seconds, "left")
        gone = np.searchsorted(np.sort(lives.seconds[rows]), seconds, "left")
        ends = np.sort(lives.seconds[rows & lives.ended])
        return entered - gone, np.searchsorted(ends, seconds, "right") - np.searchsorted(ends, seconds, "left")

    at_risk, ended = count(np.ones(len(after), dtype=bool))
    after_at_risk, after_ended = count(after)
    return _Risk(seconds=seconds, at_risk=at_risk, ended=ended, after_at_risk=after_at_risk, after_ended=after_ended)


def _tells(risk: _Risk) -> bool:
    """Say whether in each group a life ended while others of the other group were at risk."""
    before_ended = risk.ended - risk.after_ended
    before_at_risk = risk.at_risk - risk.after_at_risk
    return bool(np.any(risk.after_ended * before_at_risk) and np.any(before_ended * risk.after_at_risk))


def _weights(risk: _Risk, beta: float) -> tuple[Numbers, Floats, Floats, Floats]:
    """Give Efron's steps: time, share counted out, all weight at risk, and which share of it is after."""
    places, out = risk.steps
    after = math.exp(beta) * (risk.after_at_risk[places] - out * risk.after_ended[places])
    before = (risk.at_risk - risk.after_at_risk)[places] - out * (risk.ended - risk.after_ended)[places]
    return places, out, before + after, after / (before + after)


def _likelihood(risk: _Risk, beta: float) -> tuple[float, float, float]:
    """Give the log partial likelihood, its slope, and its information."""
    _, _, weight, share = _weights(risk, beta)
    later = int(risk.after_ended.sum())
    return (
        later * beta - math.fsum(np.log(weight)),
        later - math.fsum(share),
        math.fsum(share * (1 - share)),
    )


def _score_residuals(lives: Lives, after: Bools, risk: _Risk, beta: float) -> Floats:
    """Give what each life adds to the slope at ``beta`` (n,): what it did minus what it was expected to."""
    places, out, weight, share = _weights(risk, beta)
    count = len(risk.seconds)
    found = np.zeros(len(after))
    for group, own in ((False, 1.0), (True, math.exp(beta))):
        apart = (float(group) - share) / weight * own
        running = np.concatenate([[0.0], np.cumsum(np.bincount(places, apart, count))])
        begun = np.searchsorted(risk.seconds, lives.begun, "right")
        gone = np.searchsorted(risk.seconds, lives.seconds, "right")
        expected = running[gone] - running[np.minimum(begun, gone)]
        at = np.minimum(np.searchsorted(risk.seconds, lives.seconds), count - 1)
        did = (np.bincount(places, float(group) - share, count) / risk.ended)[at]
        spared = np.bincount(places, apart * out, count)[at]
        found = np.where(after == group, np.where(lives.ended, did + spared, 0.0) - expected, found)
    return found
