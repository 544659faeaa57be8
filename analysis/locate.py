"""Which runs are bad: "only on WiFi at site B, on release 3.59". A search over sets of attribute values.

Mathematics. Runs have attributes and are bad or not, in the time in question and in slices of time before it.
Reference are the latest three slices that were quiet: with a rate of bad runs nearer to the middle one of all before
than to the rate now. (What began before it was noticed would otherwise be its own reference; the quieter half, when
none is.)

For a set c of one to three values, b of n runs were bad, and b0 of n0 in the reference; R0 is the reference's rate of
all.
1. Expected are m = n (b0 + 10 R0) / (n0 + 10) bad runs: few runs are drawn to the rate of all. Excess is x = b - m.
2. *Recall* is x over the excess of all runs: how much c explains. *Precision* is x / b: how much of it is news.
3. *Contrast* is the two-proportion z of c now against c before.
4. *Necessity*, for each value in c: take it away, which leaves a wider set, and look at what that has beyond c. With d
   the excess per run (x / (n + 5)), necessity is (d(c) - d(beyond)) / d(c): 1 when the rest is clean, 0 when it is as
   bad. The least counts. It compares rates: with runs by the thousand any difference is significant, so sizes must
   decide.
5. Score = ln recall + ln precision + ln necessity + 2/3 ln contrast + 0.1 per value: of sets that hold nearly the same
   excess the one described most closely. ``simplest`` takes away again what makes no difference.

*Chance* is the exact (hypergeometric) probability that so many of the bad runs fall into c, were they spread over all
runs of the time at random, times the number of sets looked at. A place is named only with a chance below 0.001, half
of the excess and half of its bad runs explained, and a necessity of half: of data in which it makes no difference who
a run is, one in a thousand is named at most.

Limits. One set is sought: two with nothing in common are two entries of the list at best. Attributes that always go
together cannot be told apart. Chance takes runs for independent: of one endpoint that is slow all the time they are
not, so an endpoint may be named for what was an accident of its own. Bad is yes or no: how bad does not count.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.statistics import Floats, Places

DEPTH = 3  # values in a set, at most
SHOWN = 5
QUIET = 3  # slices the reference is made of
DRAWN = 10.0  # runs by which a set's reference is drawn to that of all
EVEN = 5.0  # runs by which excess per run is drawn to nothing
LEAST = 1e-4  # of recall and precision, for their logarithm
LEAST_NECESSITY = 0.05
OF_CONTRAST = 2.0 / 3.0
PER_VALUE = 0.1
RARE = 0.001
NEGLIGIBLE = 40.0  # a term smaller by e to this power adds nothing
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Counts of runs. Each row has ``values`` (a number per attribute), and how many ``runs`` and ``bad`` ones.

    ``before`` is 0 for the time in question, else how many slices of time before it, 1 being the latest.
    """

    values: Places
    before: Places
    bad: Floats
    runs: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A set of attribute values, as (attribute, value), with what it explains. Rates before are ``before`` per run."""

    where: tuple[tuple[int, int], ...]
    bad: float
    runs: float
    recall: float
    precision: float
    necessity: float
    chance: float
    score: float

    @property
    def named(self) -> bool:
        """Say whether the bad runs are to be called those of this set."""
        told = min(self.recall, self.precision, self.necessity)
        return told >= HALF and self.chance < RARE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sets:
    """All sets seen in the time, the first being all runs: counts now and in the reference, and the wider sets.

    ``wider`` has a column per value that can be taken away, -1 where there is none.
    """

    where: Sequence[tuple[tuple[int, int], ...]]
    now: Floats  # rows: bad, runs
    then: Floats
    wider: Places


def locate(runs: Runs) -> list[Location]:
    """Give the sets that explain most of the excess, best first, SHOWN at most; nothing when there is no bad run."""
    if not runs.bad[runs.before == 0].sum() > 0:
        return []
    sets = _sets(runs, _reference(runs))
    (bad, count), (bad0, count0) = sets.now, sets.then
    usual = bad0[0] / max(count0[0], 1.0)
    excess = bad - count * (bad0 + DRAWN * usual) / (count0 + DRAWN)
    recall = np.clip(excess / excess[0], 0.0, 1.0) if excess[0] > 0 else np.zeros(len(excess))
    precision = np.clip(excess / np.maximum(bad, 1e-9), 0.0, 1.0)
    necessity = _necessity(excess, count, sets.wider)
    score = np.log(np.maximum(recall, LEAST)) + np.log(np.maximum(precision, LEAST))
    score += np.log(np.clip(necessity, LEAST_NECESSITY, 1.0)) + OF_CONTRAST * np.log(_contrast(sets))
    depth = np.array([len(where) for where in sets.where])
    score += PER_VALUE * depth
    first = [place for place in np.lexsort((depth, -score.round(9))).tolist() if depth[place]][:SHOWN]
    tried = len(sets.where) - 1
    return [
        Location(
            where=sets.where[place],
            bad=float(bad[place]),
            runs=float(count[place]),
            recall=float(recall[place]),
            precision=float(precision[place]),
            necessity=float(necessity[place]),
            chance=min(1.0, tried * _chance(sets.now[:, place], sets.now[:, 0])),
            score=float(score[place]),
        )
        for place in first
    ]


def simplest(runs: Runs, location: Location) -> tuple[tuple[int, int], ...]:
    """Leave out the values, last attribute first, without which the same runs of the time remain."""
    values = runs.values[runs.before == 0]
    kept = list(location.where)
    for one in reversed(location.where):
        rest = [other for other in kept if other != one]
        if rest and np.array_equal(_holds(values, rest), _holds(values, kept)):
            kept = rest
    return tuple(kept)


def _holds(values: Places, where: Sequence[tuple[int, int]]) -> Places:
    return np.flatnonzero(np.all([values[:, attribute] == value for attribute, value in where], axis=0))


def _reference(runs: Runs) -> Places:
    """Give the slices before that are the reference."""
    slices = int(runs.before.max()) + 1
    bad = np.bincount(runs.before, weights=runs.bad, minlength=slices)
    count = np.bincount(runs.before, weights=runs.runs, minlength=slices)
    seen = 1 + np.flatnonzero(count[1:] > 0)
    if len(seen) == 0:
        return np.asarray(seen)
    rate, now = bad[seen] / count[seen], bad[0] / max(count[0], 1.0)
    quiet = seen[rate <= (now + np.median(rate)) / 2.0]
    if len(quiet) == 0:
        return np.asarray(np.sort(seen[np.argsort(rate, kind="stable")[: -(-len(seen) // 2)]]))
    return np.asarray(quiet[:QUIET])


def _sets(runs: Runs, reference: Places) -> _Sets:
    """Count the runs of every set that was seen in the time."""
    chosen = (runs.before == 0) | np.isin(runs.before, reference)
    values, then = runs.values[chosen], runs.before[chosen] > 0
    counts = np.stack([runs.bad[chosen], runs.runs[chosen]])
    weights = np.concatenate([np.where(then, 0.0, counts), np.where(then, counts, 0.0)])
    where: list[tuple[tuple[int, int], ...]] = []
    tables = []
    differing = np.flatnonzero(np.ptp(values[~then], axis=0)).tolist()  # what all share tells nothing
    for attributes in _choices(differing):
        seen, groups = _grouped(values[:, attributes])
        table = np.array([np.bincount(groups, weights=row, minlength=len(seen)) for row in weights])
        now = table[1] > 0
        tables.append(table[:, now])
        where += [tuple(zip(attributes, row, strict=True)) for row in seen[now].tolist()]
    counted = np.concatenate(tables, axis=1)
    places = {one: place for place, one in enumerate(where)}
    wider = np.full((len(where), DEPTH), -1, dtype=np.intp)
    for place, one in enumerate(where):
        for column in range(len(one)):
            wider[place, column] = places[one[:column] + one[column + 1 :]]
    return _Sets(where=where, now=counted[:2], then=counted[2:], wider=wider)


def _choices(attributes: Sequence[int]) -> Iterator[list[int]]:
    for depth in range(min(DEPTH, len(attributes)) + 1):
        yield from (list(chosen) for chosen in combinations(attributes, depth))


def _grouped(values: Places) -> tuple[Places, Places]:
    """Give the different rows, and which of them each row is."""
    if values.shape[1] == 0:
        return np.empty((1, 0), dtype=np.intp), np.zeros(len(values), dtype=np.intp)
    key = np.ravel_multi_index(tuple(values.T), tuple(values.max(axis=0) + 1))
    _, first, groups = np.unique(key, return_index=True, return_inverse=True)
    return values[first], groups


def _necessity(excess: Floats, count: Floats, wider: Places) -> Floats:
    """Give how much better the rest of each wider set is, the least of all; 1 for all runs, below 0 is worse."""
    per_run = excess / (count + EVEN)
    parent = np.maximum(wider, 0)
    beyond = (excess[parent] - excess[:, None]) / (np.maximum(count[parent] - count[:, None], 0.0) + EVEN)
    own = np.where(per_run > 0, per_run, 1.0)[:, None]
    told = np.where((per_run > 0)[:, None], (per_run[:, None] - beyond) / own, -1.0)
    return np.asarray(np.where(wider >= 0, told, 1.0).min(axis=1))


def _contrast(sets: _Sets) -> Floats:
    """Give the two-proportion z of each set now against before; a little above 0 where it is not worse."""
    (bad, count), (bad0, count0) = sets.now, np.maximum(sets.then, 0.0)
    pooled = np.clip((bad + bad0 + 0.5) / (count + count0 + 1.0), 1e-3, 1.0 - 1e-3)
    error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / np.maximum(count, 1.0) + 1.0 / np.maximum(count0, 1.0)))
    return np.asarray(np.maximum((bad / np.maximum(count, 1.0) - bad0 / np.maximum(count0, 1.0)) / error, 1e-3))


def _chance(part: Floats, whole: Floats) -> float:
    """Give the chance of as many bad runs in ``part`` (bad, runs) or more, if those of ``whole`` fell at random."""
    (bad, runs), (all_bad, all_runs) = np.rint(part).astype(int).tolist(), np.rint(whole).astype(int).tolist()
    if bad * all_runs <= all_bad * runs:
        return 1.0
    total, first = 0.0, -math.inf
    for more in range(bad, min(runs, all_bad) + 1):
        term = _choose(all_bad, more) + _choose(all_runs - all_bad, runs - more) - _choose(all_runs, runs)
        first = max(first, term)
        if term < first - NEGLIGIBLE:
            break
        total += math.exp(term)
    return min(1.0, total)


def _choose(count: int, taken: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(taken + 1) - math.lgamma(count - taken + 1)
