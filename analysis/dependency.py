"""Which component behind a slow or failing call: a walk along the map of who calls whom, or silence.

Mathematics. What is judged is ``level``, larger being worse, per component and sample (seconds of a request, or the
share of requests that failed). Rates hide size, so causes are sought in totals, requests times level.

1. The *surprise* of a value is -ln p, with p its upper mid-rank among the normal values: about 1 on average when
   nothing is wrong, ln(2N + 2) when worse than all N. Ranks need no distribution and tame single monsters.
2. For a stretch of l samples z is the mean surprise above the normal mean, in units of what means of l consecutive
   normal samples scatter by (so what is correlated in time is no news), at least half of what independent samples
   would.
3. For every component the window of L samples is *trimmed* to the stretch, of two samples or more, with the largest sum
   of z(symptom) and z(component) over sqrt 2 (Stouffer) less sqrt(2 ln(L / l)), the penalty of a multiscale scan: a
   short stretch of a long window has many rivals. That sum, with each z capped at 8, is the *evidence*.
4. *Excess* is requests times the level above the normal median and above the component's own level just before, and
   just after, the stretch, weighted by how healthy the symptom was then: what differs all the time is not the
   symptom's. *Own* excess is without that of the component's direct callees.
5. *Coverage* is the mean of own excess over the symptom's, clipped to -1 to 1, over the samples in which the symptom
   is worse than usual, weighted by surprise - 1; of before and after the smaller counts. Bounded shares are not led by
   one large sample that has another cause. Components the symptom depends on are ranked by it.
6. Each stretch so found has a component that covers most. The one with the largest product of evidence and coverage is
   first, and is *named* when it covers a quarter and its evidence is 5: where nothing happens at most one window
   in a hundred is (docs/attribution.md).

Limits. The map must hold the call: a component without an edge from the symptom is never named, nor one without ten
normal values, nor the symptom itself. With several callers of one callee all its excess is subtracted from each. One
cause is sought: of two at once the larger is first. A stretch of one sample is too short. Without two samples outside
the stretch a component that always differs is not told from one that began to. The normal period must be like the
window but for the fault: drift over days that reaches the symptom is an event like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.statistics import Floats, Places

LEAST_NORMAL = 10  # normal values without which nothing is said of a component
SHORTEST = 2  # samples of a stretch
LENGTHS = 64  # of stretches that are tried, at most
CAP = 8.0  # no z counts for more
EVIDENCE = 5.0  # standard deviations
COVERS = 0.25  # of the symptom's excess
SCATTER = 0.5  # least standard deviation of surprise; independent values have 1
NEARBY = 2.0  # samples over which the weight of a healthy sample falls by e
SHRINKAGE = 0.25  # of a healthy sample: a level known from less is drawn to the normal one
UNTOLD = float(np.log(2))  # the surprise of a value in the middle, and of one that is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """``requests`` and ``level`` of each component (rows) in each sample (columns); NaN where not measured."""

    requests: Floats
    level: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Components the symptom depends on, likeliest cause first, with the share of its excess each covers.

    ``first`` to ``last`` are the samples in which the symptom changed. ``evidence`` is how extraordinary symptom and
    first component are in them, in standard deviations.
    """

    components: tuple[int, ...] = ()
    coverage: tuple[float, ...] = ()
    evidence: float = 0.0
    first: int = 0
    last: int = 0

    @property
    def named(self) -> bool:
        """Say whether the first component is to be named; else nothing is."""
        return bool(self.components) and self.coverage[0] >= COVERS and self.evidence >= EVIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Samples ``begin`` to before ``end``, and how extraordinary symptom and each component together are in them."""

    begin: int
    end: int
    evidence: Floats


def rank(calls: Places, symptom: int, normal: Telemetry, during: Telemetry) -> Ranking:
    """Rank the components behind ``symptom`` by what of its excess they cover.

    ``calls`` has a row (caller, callee) per edge; components are row numbers of ``normal`` and ``during``, which may
    have different numbers of samples.
    """
    known = np.count_nonzero(~np.isnan(normal.level), axis=1) >= LEAST_NORMAL
    behind = np.array([one for one in _behind(calls, symptom) if known[one]], dtype=np.intp)
    if not known[symptom] or len(behind) == 0 or during.level.shape[1] == 0:
        return Ranking()
    rows = np.concatenate([[symptom], behind])
    quiet = np.array([surprise(normal.level[row], normal.level[row]) for row in rows])
    told = np.array([surprise(during.level[row], normal.level[row]) for row in rows])
    median = np.full(len(known), np.nan)
    median[known] = np.nanmedian(normal.level[known], axis=1)
    above = Telemetry(requests=during.requests, level=during.level - median[:, None])
    counts = np.count_nonzero(~np.isnan(normal.level[rows]), axis=1)
    found = []
    for stretch in _trimmed(quiet, told, counts):
        own, whole = (one[behind] for one in _coverage(calls, symptom, above, told[0], stretch))
        found.append(_ranking(behind, own, whole, stretch))
    return max(found, key=lambda one: (one.coverage[0] >= COVERS, max(0.0, one.evidence) * one.coverage[0]))


def _ranking(behind: Places, own: Floats, whole: Floats, stretch: _Stretch) -> Ranking:
    order = np.lexsort((-whole, -own))
    return Ranking(
        components=tuple(behind[order].tolist()),
        coverage=tuple(own[order].tolist()),
        evidence=float(stretch.evidence[order[0]]),
        first=stretch.begin,
        last=stretch.end - 1,
    )


def surprise(values: Floats, normal: Floats) -> Floats:
    """Give -ln of the share of ``normal`` values that are as bad or worse; ln 2 where a value is missing."""
    ordered = np.sort(normal[~np.isnan(normal)])
    above = len(ordered) - np.searchsorted(ordered, values, side="right")
    equal = len(ordered) - above - np.searchsorted(ordered, values, side="left")
    share = (above + 0.5 * equal + 0.5) / (len(ordered) + 1)
    return np.asarray(np.where(np.isnan(values), UNTOLD, -np.log(share)))


def _behind(calls: Places, symptom: int) -> list[int]:
    """Give what the symptom depends on, without itself, in order."""
    found, pending = {symptom}, [symptom]
    while pending:
        callees = calls[calls[:, 0] == pending.pop(), 1].tolist()
        pending += [callee for callee in callees if callee not in found]
        found.update(callees)
    return sorted(found - {symptom})


def _trimmed(quiet: Floats, told: Floats, known: Places) -> list[_Stretch]:
    """Give the stretches in which symptom (the first row) and a component are most extraordinary together."""
    window = told.shape[1]
    best = np.full(len(told) - 1, -np.inf)
    found: dict[int, _Stretch] = {}
    for length, z in _scans(quiet, told, known):
        penalty = float(np.sqrt(2.0 * np.log(window / length)))
        likely = (z[0] + z[1:]) / np.sqrt(2.0) - penalty
        begins = likely.argmax(axis=1)
        reached = likely[np.arange(len(best)), begins]
        for component in np.flatnonzero(reached > best + 1e-9).tolist():
            begin = int(begins[component])
            capped = np.minimum(z[:, begin], CAP)
            evidence = (capped[0] + capped[1:]) / np.sqrt(2.0) - penalty
            best[component] = reached[component]
            found[component] = _Stretch(begin=begin, end=begin + length, evidence=evidence)
    return list({(one.begin, one.end): one for one in found.values()}.values())


def _scans(quiet: Floats, told: Floats, known: Places) -> Iterator[tuple[int, Floats]]:
    """Give per length the z of every stretch, shape (rows, stretches)."""
    window = told.shape[1]
    lengths = np.arange(min(SHORTEST, window), window + 1)
    if window > LENGTHS:
        lengths = np.unique(np.geomspace(SHORTEST, window, LENGTHS).astype(np.intp))
    mean, normal, sums = quiet.mean(axis=1), _sums(quiet), _sums(told)
    for length in lengths.tolist():
        scatter = _scatter(normal, max(1, min(length, quiet.shape[1] // 10)))
        expected = scatter * np.sqrt(1.0 / length + 1.0 / known)  # the normal mean is an estimate too
        yield length, ((sums[:, length:] - sums[:, :-length]) / length - mean[:, None]) / expected[:, None]


def _sums(rows: Floats) -> Floats:
    return np.asarray(np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1))


def _scatter(sums: Floats, length: int) -> Floats:
    """Give the standard deviation of one value that means of ``length`` consecutive ones suggest, SCATTER at least."""
    means = (sums[:, length:] - sums[:, :-length]) / length
    return np.asarray(np.maximum(means.std(axis=1) * np.sqrt(length), SCATTER))


def _coverage(calls: Places, symptom: int, above: Telemetry, told: Floats, stretch: _Stretch) -> tuple[Floats, Floats]:
    """Give per component which share of the symptom's excess its own covers, and which its whole excess does."""
    inner = calls[(calls[:, 1] != symptom) & (calls[:, 0] != calls[:, 1])]
    pairs = np.unique(inner, axis=0)
    weights = np.maximum(0.0, told[stretch.begin : stretch.end] - 1.0)
    requests = above.requests[:, stretch.begin : stretch.end]
    own, whole = [], []
    for level in _levels(above.level, told, stretch):
        excess = np.nan_to_num(requests * (above.level[:, stretch.begin : stretch.end] - level[:, None]))
        left = excess.copy()
        np.subtract.at(left, pairs[:, 0], np.maximum(0.0, excess[pairs[:, 1]]))
        own.append(_share(left, excess[symptom], weights))
        whole.append(_share(excess, excess[symptom], weights))
    return np.min(own, axis=0), np.min(whole, axis=0)


def _levels(above: Floats, told: Floats, stretch: _Stretch) -> list[Floats]:
    """Give every component's level in the healthy samples just before the stretch, and just after, where there are."""
    place = np.arange(len(told))
    before, after = place < stretch.begin, place >= stretch.end
    inside = ~before & ~after
    away = np.select([before, after], [stretch.begin - 1 - place, place - stretch.end], 0)
    healthy = np.minimum(1.0, 2.0 * np.exp(-told)) * np.exp(-away / NEARBY)
    sides = [side for side in (before, after) if side.any()] or [inside]
    return [_level(above, np.where(side | inside, healthy, 0.0)) for side in sides]


def _level(above: Floats, weights: Floats) -> Floats:
    measured = ~np.isnan(above)
    return np.asarray((np.nan_to_num(above) @ weights) / (measured @ weights + SHRINKAGE))


def _share(excess: Floats, of: Floats, weights: Floats) -> Floats:
    """Give the weighted mean of ``excess`` over ``of``, where that is above 0, each share between -1 and 1."""
    counted = (of > 0.0) & (weights > 0.0)
    if not counted.any():
        return np.zeros(len(excess))
    shares = np.clip(excess[:, counted] / of[counted], -1.0, 1.0)
    return np.asarray(shares @ weights[counted] / weights[counted].sum())
