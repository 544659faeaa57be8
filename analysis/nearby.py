"""Samples that may speak of an episode, those that cannot be behind it, and whether each metric moved.

A metric of the catalogue with a direction moved when its median during the episode differs from that of the quiet time
by at least ``minimum_shift`` and lies outside the quiet samples' 95 % quantile (5 % for metrics that fall). Without
quiet time it moved when it stands at 4 times the minimum shift.

A latency, or a count of who waits, has moved as well when it stood still now and then, which no median sees: when more
samples of the episode lie above the k-th largest of n in the quiet time, by the minimum shift, than chance allows
(exact binomial with 2 k / (n + 1) each, below 0.001 / 3, at least 3), for a k from 1 to 3 and n of at least 20. The
quiet time may end a little after the first standstill, so its largest alone is not what all is held against.

A probe that waited no longer tells "at least" (``collector.model.sample.AT_LEAST``). Quantiles take the value as it is,
which makes them lower bounds from the smallest of them on: where the quiet time's edge is one nobody knows how high the
metric stood before, so that it moved is not claimed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.contention import of_others
from analysis.demand import DEMAND
from analysis.episode import Episode
from analysis.kept import Kept
from analysis.parts import quiet
from analysis.quality import SKEW
from analysis.series import Bools, stamp
from analysis.statistics import Floats, Grouped, Places, grouped, needed
from analysis.window import Window
from collector.model.catalogue import CATALOGUE
from collector.model.layer import Layer
from collector.model.metric import Direction, Metric
from collector.model.sample import AT_LEAST

LEAST_SAMPLES = 2
LEAST_QUIET = 5
ABSOLUTE = 4.0
LEAST_TAIL_QUIET = 20
LEAST_TAIL = 3
FALSE_ALARM = 0.001
STRAYS = (1, 2, 3)  # so many of the quiet time may belong to the episode already
WAITS = {"s", "{statement}"}  # units in which a standstill shows
WORSE = [name for name, metric in CATALOGUE.items() if metric.direction is not Direction.NEUTRAL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """``rows`` (layer, component, metric, at, value, late) in key order; another metric begins at each of ``begins``.

    ``late`` says which values are lower bounds.
    """

    rows: pd.DataFrame
    begins: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstills:
    """Single values far above the usual: ``count`` of ``of`` in the episode, and both times' means.

    ``chance`` says that so many may be chance.
    """

    count: int
    of: int
    before: float
    during: float
    chance: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One metric of one component, ``group`` of its grouping: its medians, in the metric's unit.

    ``before`` and ``edge``, the quiet time's 95 %, are None without quiet time. ``at_least``: ``during`` fell among
    lower bounds; ``unsure``: ``edge`` did. ``standstills`` is None where there were none, or the median moved.
    """

    group: int
    layer: Layer
    component: str
    metric: Metric
    before: float | None
    edge: float | None
    during: float
    at_least: bool = False
    unsure: bool = False
    standstills: Standstills | None = None

    @property
    def sign(self) -> float:
        """Give -1 where less is worse."""
        return -1.0 if self.metric.direction is Direction.DOWN else 1.0

    @property
    def moved(self) -> bool:
        """Say whether it got worse, by so much that it can matter."""
        return self.median_moved or (self.standstills is not None and not self.standstills.chance)

    @property
    def median_moved(self) -> bool:
        """Say whether its median did."""
        sign, least = self.sign, self.metric.minimum_shift
        if self.before is None or self.edge is None:
            return sign > 0 and self.during >= ABSOLUTE * least
        outside = sign * self.during > sign * self.edge and not self.unsure
        return outside and sign * (self.during - self.before) >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """``related`` may be behind the episode; ``unrelated`` are of places that it does not go through.

    ``demand`` says how many people were at work; ``skew`` how far clocks are known to be off, in seconds.
    """

    related: Grouping
    unrelated: Grouping
    demand: Grouping
    compared: tuple[Moved, ...]
    skew: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """The samples of a site, but for those that are of no use here."""

    related: Grouping
    unrelated: Grouping
    demand: Grouping
    skew: float


_NEARBY: Kept[Nearby] = Kept()
_SAMPLES: Kept[_Samples] = Kept()


def nearby(window: Window, episode: Episode) -> Nearby:
    """Look around the episode. Asking again costs nothing while the window is the same."""
    estate = window.estate.digest if window.estate else None
    return _NEARBY.give(window, (episode, estate), lambda: _nearby(window, episode))


def _nearby(window: Window, episode: Episode) -> Nearby:
    away = _away(window, episode, window.samples["component"].unique())
    found = _SAMPLES.give(window, (episode.site, *away), lambda: _samples(window.samples, episode.site, away))
    return Nearby(
        related=found.related,
        unrelated=found.unrelated,
        demand=found.demand,
        compared=tuple(_compared(found.related, episode)),
        skew=found.skew,
    )


def _samples(samples: pd.DataFrame, site: str, away: Sequence[str]) -> _Samples:
    here = (samples["site"] == site) & samples["metric"].isin([*WORSE, *DEMAND, SKEW])
    rows = samples.loc[here, ["layer", "component", "metric", "at", "value"]].assign(late=_late(samples)[here])
    aside, telling = rows["component"].isin(away).to_numpy(), rows["metric"].isin(WORSE).to_numpy()
    skews = rows.loc[rows["metric"] == SKEW, "value"]
    return _Samples(
        related=_grouped(rows[telling & ~aside]),
        unrelated=_grouped(rows[telling & aside]),
        demand=_grouped(rows[rows["metric"].isin(DEMAND).to_numpy() & ~aside]),
        skew=float(skews.abs().max()) if len(skews) else 0.0,
    )


def _away(window: Window, episode: Episode, known: Iterable[str]) -> list[str]:
    """Name the endpoints from which this access was not walked, and what only other environments use."""
    steps = window.steps
    mine = (steps["link"] == str(episode.population.link)) & (
        steps["presentation"] == str(episode.population.presentation)
    )
    elsewhere = set(steps["endpoint"].unique()) - set(steps.loc[mine, "endpoint"].unique())
    elsewhere |= of_others(window.estate, episode, known)
    return [name for name in known if name in elsewhere or name.rpartition(".")[0] in elsewhere]  # ENDPOINT.STATION


def _grouped(rows: pd.DataFrame) -> Grouping:
    numbers = rows.groupby(["layer", "component", "metric"], sort=True, observed=True).ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    return Grouping(rows=rows.take(order), begins=np.flatnonzero(np.diff(numbers[order], prepend=-1)))


def _late(samples: pd.DataFrame) -> Bools:
    """Say which values are lower bounds."""
    if "labels" not in samples:
        return np.zeros(len(samples), dtype=bool)
    labels = samples["labels"].astype("category")
    bound = [AT_LEAST.items() <= json.loads(text).items() for text in labels.cat.categories]
    return np.asarray(np.array([*bound, False])[labels.cat.codes.to_numpy()])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """The values of each group in the episode, or in the quiet time; ``late`` is the smallest that is a lower bound."""

    values: Grouped
    late: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, groups: Places, chosen: Bools, count: int) -> "_Side":
        values = rows["value"].to_numpy(dtype=float)
        bound, late = chosen & rows["late"].to_numpy(dtype=bool), np.full(count, np.inf)
        np.minimum.at(late, groups[bound], values[bound])
        return cls(values=grouped(values[chosen], groups[chosen], count), late=late)


def _compared(found: Grouping, episode: Episode) -> Iterator[Moved]:
    """Hold each metric of each component against its quiet time, all of them at once."""
    rows, begins = found.rows, found.begins
    count = len(begins)
    groups = np.repeat(np.arange(count), np.diff(begins, append=len(rows)))
    inside = ((rows["at"] >= stamp(episode.start)) & (rows["at"] <= stamp(episode.end))).to_numpy(dtype=bool)
    during = _Side.of(rows, groups, inside, count)
    before = _Side.of(rows, groups, quiet(rows["at"], episode).to_numpy(dtype=bool), count)
    now, then, low, high = during.values.quantile(0.5), *(before.values.quantile(share) for share in (0.5, 0.05, 0.95))
    whose = rows[["layer", "component", "metric"]].take(begins).astype(str)
    for group, (layer, component, name) in enumerate(whose.itertuples(index=False)):
        if during.values.counts[group] < LEAST_SAMPLES:
            continue
        metric, known = CATALOGUE[name], before.values.counts[group] >= LEAST_QUIET
        edge = low[group] if metric.direction is Direction.DOWN else high[group]
        one = Moved(
            group=group,
            layer=Layer(layer),
            component=component,
            metric=metric,
            before=float(then[group]) if known else None,
            edge=float(edge) if known else None,
            during=float(now[group]),
            at_least=bool(during.late[group] <= now[group]),
            unsure=bool(before.late[group] <= high[group]),
        )
        if one.before is not None and not one.median_moved:
            one = replace(
                one, standstills=_standstills(metric, during.values.of(group), before.values.of(group), one.before)
            )
        yield one


def _standstills(metric: Metric, during: Floats, before: Floats, usual: float) -> Standstills | None:
    """Count values far above the usual; None when there are none, or they cannot tell.

    ``during`` and ``before`` are in order of size, ``usual`` is the median before.
    """
    if metric.direction is not Direction.UP or metric.unit not in WAITS or len(before) < LEAST_TAIL_QUIET:
        return None
    far = [int(((during > before[-k]) & (during >= usual + metric.minimum_shift)).sum()) for k in STRAYS]
    then, now = float(before.mean()), float(during.mean())
    if far[-1] == 0 or now - then < metric.minimum_shift:
        return None
    # Of values of one kind, k in n + 1 are above the k-th largest; twice that, to be sure.
    shares = [min(1.0, 2.0 * k / (len(before) + 1)) for k in STRAYS]
    level = FALSE_ALARM / len(STRAYS)
    sure = [n >= max(LEAST_TAIL, needed(len(during), p, level)) for n, p in zip(far, shares, strict=True)]
    count, chance = (far[sure.index(True)], False) if any(sure) else (far[0], True)
    if count == 0:
        return None
    return Standstills(count=count, of=len(during), before=then, during=now, chance=chance)
