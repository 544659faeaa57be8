"""Error budgets: how fast they go, over a long and a short window at once, and what is left of the period.

Single runs are read for some hours. What is older was counted by quarters of an hour while it was read, and these
counts are kept: a day is the sum of its quarters, exactly.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.alerting import bad as law
from analysis.alerting.rule import BudgetRule, Burn, Rule
from analysis.alerting.sighting import Sighting, Spent
from analysis.series import Bools, Series, Times, moment, stamp
from analysis.statistics import Floats
from collector.model.alert import AlertState, Ground, Subject, Tally, severity

QUARTER = timedelta(minutes=15)
_ROUNDING = 1 - 1e-9  # 1 - 0.95 is not exactly 0.05
_STILL = 0.5  # a burn alert ends when the short window burns at less than this share of its rate
_BAD_MINUTE = 0.5  # of its runs
Stored = Callable[[datetime], dict[str, Tally]]


def cut_at(since: datetime) -> datetime:
    """Give the first whole quarter of an hour from ``since`` on."""
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return start + -(-(since - start) // QUARTER) * QUARTER


def spent(
    rule: Rule,
    series: Series,
    subject: Subject,
    counted: Bools,
    *,
    expected: float | None,
    between: tuple[datetime, datetime],
) -> Spent:
    """Count what one budget spent in ``between``, from the cut until now."""
    (cut, now), budget = between, rule.budget
    assert budget is not None
    values = law.judged(series, budget.above, expected, failures_are_bad=True)
    usable = counted & ~np.isnan(values) & series.between(cut, now + QUARTER)
    slots, bad = _units(series.slots[usable], values[usable], minutes=budget.unit == "minutes")
    seconds = sorted({budget.period, *(length for burn in budget.burns for length in (burn.long, burn.short))})
    name = f"{rule.name}@{_digest(budget)}:{subject}"
    return Spent(
        rule=rule,
        subject=subject,
        name=name,
        windows={length: _since(slots, bad, now - timedelta(seconds=length)) for length in seconds},
        quarters=_quarters(name, slots, bad),
    )


def sighting(one: Spent, stored: Stored, *, cut: datetime, now: datetime) -> Sighting:
    """Say how fast a budget goes. ``stored`` gives what was counted of each budget from a time until ``cut``."""
    budget = one.rule.budget
    assert budget is not None
    totals = {length: _total(one, length, stored, cut, now) for length in one.windows}
    burns = [(burn, _burn(totals[burn.long], budget), _burn(totals[burn.short], budget)) for burn in budget.burns]
    known = [burn for burn, long, short in burns if long is not None and totals[burn.long][0] >= budget.least]
    firing = [(burn, long, short) for burn, long, short in burns if burn in known and _fires(burn, long, short)]
    holding = [AlertState(burn.tier) for burn, _, short in burns if short is None or short >= _STILL * burn.rate]
    shown = max(firing, key=lambda found: severity(AlertState(found[0].tier)), default=burns[0])
    return Sighting(
        rule=one.rule.name,
        subject=one.subject,
        fires=max((AlertState(burn.tier) for burn, _, _ in firing), key=severity, default=AlertState.OK),
        holds=max(holding, key=severity, default=AlertState.OK),
        enough=len(known) == len(burns),
        ground=_ground(one, budget, shown, totals[budget.period], stored(now - timedelta(seconds=budget.period))),
    )


def _ground(
    one: Spent,
    budget: BudgetRule,
    shown: tuple[Burn, float | None, float | None],
    period: tuple[float, float],
    stored: dict[str, Tally],
) -> Ground:
    burn, long, short = shown
    units, bad = period
    first = stored[one.name].start if one.name in stored else min((q.start for q in one.quarters), default=None)
    return Ground(
        kind="budget",
        bad=round(bad),
        runs=round(units),
        burn=long,
        short_burn=short,
        long_seconds=burn.long,
        short_seconds=burn.short,
        goal=budget.goal,
        unit=budget.unit,
        budget_left=None if not units else 1 - bad / units / (1 - budget.goal),
        counted_since=first,
    )


def _fires(burn: Burn, long: float | None, short: float | None) -> bool:
    return long is not None and short is not None and min(long, short) >= burn.rate * _ROUNDING


def _burn(total: tuple[float, float], budget: BudgetRule) -> float | None:
    units, bad = total
    return bad / units / (1 - budget.goal) if units else None


def _total(one: Spent, length: float, stored: Stored, cut: datetime, now: datetime) -> tuple[float, float]:
    units, bad = one.windows[length]
    start = now - timedelta(seconds=length)
    before = stored(start).get(one.name) if start < cut else None
    return (units + before.units, bad + before.bad) if before else (units, bad)


def _units(slots: Times, bad: Floats, *, minutes: bool) -> tuple[Times, Floats]:
    """Give what is counted: runs, or the minutes that had any."""
    if not minutes or not len(slots):
        return slots, bad
    starts, places = np.unique(slots.astype("datetime64[m]"), return_inverse=True)
    share = np.bincount(places, weights=bad) / np.bincount(places)
    return starts.astype("datetime64[us]"), (share >= _BAD_MINUTE).astype(float)


def _since(slots: Times, bad: Floats, start: datetime) -> tuple[float, float]:
    inside = slots >= stamp(start)
    return float(inside.sum()), float(bad[inside].sum())


def _quarters(name: str, slots: Times, bad: Floats) -> Sequence[Tally]:
    step = np.timedelta64(15, "m")
    zero = np.datetime64("1970-01-01T00:00:00", "us")
    starts, places = np.unique((slots - zero) // step, return_inverse=True)
    units, sums = np.bincount(places), np.bincount(places, weights=bad)
    return [
        Tally(budget=name, start=moment(zero + start * step), units=float(number), bad=float(total))
        for start, number, total in zip(starts, units, sums, strict=True)
    ]


def _digest(budget: BudgetRule) -> str:
    """Name what is counted: another limit begins to count anew."""
    counted = f"{budget.above.model_dump_json()}{budget.unit}"
    return hashlib.sha256(counted.encode()).hexdigest()[:8]
