"""From a window to what each rule sees in it. Pure; runs in the worker that has the window open."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from analysis.alerting import budget, lately
from analysis.alerting.planned import Span, inside, spans
from analysis.alerting.rule import Rule
from analysis.alerting.settings import AlertSettings
from analysis.alerting.sighting import Heard, Seen, Sighting, Spent
from analysis.series import KEY, Key, Series, key_of, moment, split
from analysis.window import Window
from collector.model.alert import Subject
from collector.model.verdict import Reference, Verdict

_SLOTS = 50  # of the last ones, to see how often a series runs


def observe(window: Window, verdicts: Sequence[Verdict], settings: AlertSettings, *, now: datetime) -> Seen:
    """See what the runs of a window say to every rule; ``verdicts`` are those of the same window."""
    parts = split(window.steps, window.mixed) if len(window.steps) else []
    heard = dict(_heard(window, parts, settings))
    planned = spans(settings.maintenance, window.changes, window.history_start, now)
    expected = _expected(verdicts)
    cut = budget.cut_at(window.history_start)
    places = any(rule.runs and rule.runs.places for rule in settings.rules)
    seen: list[Sighting] = []
    spent: list[Spent] = []
    for series in parts:
        if not len(series):
            continue
        subject = subject_of(series.key)
        fresh = _fresh(series, settings, now) if places else {}
        for rule in settings.rules:
            if not rule.watches(subject):
                continue
            counted = ~inside(series.slots, _left_out(rule, settings, planned, subject))
            usual = expected.get(series.key)
            if rule.runs is not None:
                seen += lately.sightings(rule, series, subject, counted, expected=usual, fresh=fresh)
            elif rule.budget is not None:
                spent.append(budget.spent(rule, series, subject, counted, expected=usual, between=(cut, now)))
    return Seen(cut=cut, heard=heard, sightings=[one for one in seen if _wanted(one, settings)], spent=spent)


def subject_of(key: Key) -> Subject:
    """Give the subject that a series is about."""
    return Subject(
        site=key.site, environment=key.environment, journey=key.journey, population=key.population, step=key.step
    )


def limit(interval: float | None, settings: AlertSettings) -> timedelta:
    """Say how long a subject that is usually heard every ``interval`` seconds may be silent before it is stale."""
    usual = (interval or 0.0) * settings.stale_after_intervals
    return timedelta(seconds=max(settings.stale_after, usual))


def _wanted(sighting: Sighting, settings: AlertSettings) -> bool:
    rule = next(rule for rule in settings.rules if rule.name == sighting.rule)
    return rule.watches(sighting.subject)


def _left_out(rule: Rule, settings: AlertSettings, planned: Sequence[Span], subject: Subject) -> list[Span]:
    choice = rule.maintenance or settings.maintenance.choice
    return [span for span in planned if span.concerns(subject)] if choice == "ignore" else []


def _expected(verdicts: Sequence[Verdict]) -> Mapping[Key, float]:
    """Give what is usual of each step and access, as the analysis holds it in this window."""
    return {
        Key(
            site=verdict.site,
            journey=verdict.journey,
            step=verdict.step,
            population=verdict.population,
            environment=verdict.environment,
        ): verdict.expected.estimate
        for verdict in verdicts
        if verdict.expected is not None and verdict.against is Reference.EXPECTED
    }


def _heard(window: Window, parts: Sequence[Series], settings: AlertSettings) -> Iterator[tuple[Subject, Heard]]:
    """Give when each step, and each journey, of each access was heard, and by endpoint where a rule asks for that."""
    found: dict[Subject, Heard] = {}
    for values, hours in window.hourly.groupby(KEY, observed=True)["hour"]:
        last = pd.Timestamp(hours.max()).to_pydatetime().replace(tzinfo=UTC)  # at least
        subject = subject_of(key_of(values))
        for one in (subject, replace(subject, step=None)):
            _newer(found, one, Heard(last=last))
    by_place = any(_by_place(rule) for rule in settings.rules)
    for series in parts:
        if len(series):
            _of_series(found, series, by_place=by_place)
    yield from found.items()


def _by_place(rule: Rule) -> bool:
    return any(way is not None and way.by == "place" for way in (rule.runs, rule.silence))


def _of_series(found: dict[Subject, Heard], series: Series, *, by_place: bool) -> None:
    subject = subject_of(series.key)
    for one in (subject, replace(subject, step=None)):
        _newer(found, one, _rhythm(series.slots))
    if by_place:
        numbers, words = series.columns.words["endpoint"]
        for number in np.unique(numbers[series.places]):
            mine = _rhythm(series.slots[numbers[series.places] == number])
            for one in (subject, replace(subject, step=None)):
                _newer(found, replace(one, endpoint=str(words[number])), mine)


def _rhythm(slots: np.ndarray) -> Heard:
    distances = np.diff(np.unique(slots)[-_SLOTS:]) / np.timedelta64(1, "s")
    return Heard(last=moment(slots[-1]), interval=float(np.median(distances)) if len(distances) else None)


def _newer(found: dict[Subject, Heard], subject: Subject, heard: Heard) -> None:
    if subject not in found or found[subject].last < heard.last:
        found[subject] = heard


def _fresh(series: Series, settings: AlertSettings, now: datetime) -> Mapping[str, bool]:
    """Say of each endpoint, by its own rhythm, whether it was heard lately."""
    numbers, words = series.columns.words["endpoint"]
    mine = numbers[series.places]
    rhythms = {str(words[number]): _rhythm(series.slots[mine == number]) for number in np.unique(mine)}
    return {place: now - heard.last <= limit(heard.interval, settings) for place, heard in rhythms.items()}
