"""Rules about the last runs: n of m of an access, of an endpoint, or at k of n endpoints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.alerting import bad as law
from analysis.alerting.rule import Limit, Rule, RunsRule, Tier
from analysis.alerting.sighting import Sighting
from analysis.series import Bools, Series
from analysis.statistics import Floats
from collector.model.alert import AlertState, Ground, Subject, severity

_TIERS: tuple[Tier, ...] = ("warning", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One tier over some runs."""

    tier: AlertState
    fires: bool
    holds: bool
    enough: bool
    ground: Ground


def sightings(
    rule: Rule, series: Series, subject: Subject, counted: Bools, *, expected: float | None, fresh: Mapping[str, bool]
) -> Iterator[Sighting]:
    """Give what one rule sees in one series, of which only ``counted`` runs count.

    ``fresh`` says of each endpoint whether it was heard lately: of the others nothing new is known.
    """
    runs = rule.runs
    assert runs is not None
    if runs.by == "access" and runs.places is None:
        yield _together(rule, subject, _looks(runs, series, counted, expected))
        return
    numbers, words = series.columns.words["endpoint"]
    places = {words[number]: numbers[series.places] == number for number in np.unique(numbers[series.places])}
    looks = {place: _looks(runs, series, counted & mine, expected) for place, mine in sorted(places.items())}
    if runs.places is None:
        for place, found in looks.items():
            yield _together(rule, replace(subject, endpoint=place), found)
        return
    yield _together(rule, subject, list(_at_places(runs, looks, fresh)))


def _looks(runs: RunsRule, series: Series, counted: Bools, expected: float | None) -> list[_Look]:
    found = []
    for tier in _TIERS:
        limit = runs.limit(tier)
        if limit is None:
            continue
        all_values = law.judged(series, limit, expected, failures_are_bad=runs.failures == "bad")
        values = all_values[counted]
        bad = values[~np.isnan(values)] == 1.0
        found.append(
            _Look(
                tier=AlertState(tier),
                fires=law.fires(bad, runs),
                holds=not law.ended(bad, runs),
                enough=law.out_of_reach(bad, runs),
                ground=_ground(runs, bad, values, _seconds(series, limit, expected), limit),
            )
        )
    return found


def _ground(runs: RunsRule, bad: Bools, values: Floats, seconds: float | None, limit: Limit) -> Ground:
    last = bad[-runs.of :]
    return Ground(
        kind="runs",
        bad=int(last.sum()),
        runs=len(last),
        needed=runs.bad,
        undecided=int(np.isnan(values[-runs.of :]).sum()),
        seconds=seconds,
        limit=next(name for name in Limit.model_fields if getattr(limit, name) is not None),
    )


def _seconds(series: Series, limit: Limit, expected: float | None) -> float | None:
    most = law.thresholds(series, limit, expected)
    known = most[~np.isnan(most)]
    return float(known[-1]) if len(known) else None


def _at_places(runs: RunsRule, looks: Mapping[str, Sequence[_Look]], fresh: Mapping[str, bool]) -> Iterator[_Look]:
    """Put the looks of all places together, by tier; a place that is not heard can open nothing and end nothing."""
    needed, heard = runs.places or 1, {place: found for place, found in looks.items() if fresh.get(place, False)}
    for number, tier in enumerate(next(iter(looks.values()), [])):
        bad = sum(found[number].fires for found in heard.values())
        holding = sum(found[number].holds for found in looks.values())
        well = sum(found[number].enough for found in heard.values())
        known = len(heard) >= (runs.of_places or 1)
        yield _Look(
            tier=tier.tier,
            fires=known and bad >= needed,
            holds=holding >= needed,
            enough=known and len(looks) - well < needed,
            ground=replace(tier.ground, kind="places", bad=bad, runs=len(heard), needed=needed, undecided=0),
        )


def _together(rule: Rule, subject: Subject, looks: Sequence[_Look]) -> Sighting:
    """Put the tiers together: the worst that fires, the worst that holds, and the numbers of what is said."""
    firing = max((look.tier for look in looks if look.fires), key=severity, default=AlertState.OK)
    holding = max((look.tier for look in looks if look.holds), key=severity, default=AlertState.OK)
    shown = next((look for look in looks if look.tier is firing), looks[0])
    return Sighting(
        rule=rule.name,
        subject=subject,
        fires=firing,
        holds=holding,
        enough=all(look.enough for look in looks),
        ground=shown.ground,
    )
