"""Draws a verdict again from the facts it was drawn from, and says whether it comes out the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from analysis.history import BAD
from analysis.job import concluded
from analysis.loading import WEEKS, Facts, load_at
from analysis.made_with import as_then, made_with, shaping
from analysis.settings import AnalysisSettings
from analysis.statistics import rounded
from collector.model.errors import NotInStore, WhichlayerError
from collector.model.verdict import Verdict
from collector.registry import Registry
from collector.store import Slice, Store

_VERDICT = TypeAdapter(Verdict)
# What says where and when it was concluded, and not what.
_CIRCUMSTANCES = frozenset(
    {"id", "version", "reached_at", "snapshot", "digest", "changed", "merged_into", "settings", "made_with"}
)
Value = str | int | float | bool | None


class Result(StrEnum):
    """What came of it."""

    EQUAL = "equal"
    DIFFERS = "differs"
    EVIDENCE_REMOVED = "evidence_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """``differences`` are stored and new value by place, after rounding to 6 significant digits.

    ``snapshot`` is what was read: another one than the verdict's where that was let go of; None where nothing was.
    """

    result: Result
    snapshot: int | None = None
    differences: Mapping[str, tuple[Value, Value]]
    notes: Sequence[str] = ()


def replay(store: Store, registry: Registry, settings: AnalysisSettings, verdict: Verdict) -> Replayed:
    """Conclude again with the settings of then and the methods of today. Raises WhichlayerError without facts named.

    The verdict's own snapshot is read; where that was let go of, the newest one, whose facts count as the same only
    if their digest is.
    """
    if verdict.evidence_removed is not None:
        return _removed(f"the facts of its site were removed on {verdict.evidence_removed:%Y-%m-%d}")
    today, settings = settings, as_then(settings, verdict.settings)
    facts, exact = _facts(store, registry, settings, verdict)
    same = facts.digest == verdict.digest
    again = _again(verdict, facts, settings)
    differences = dict(_differences(verdict, again))
    notes = [*_notes(verdict, facts, again, exact=exact, same=same), *_others(verdict, today)]
    if differences and not same and not exact:
        return replace(_removed(*notes), snapshot=facts.snapshot)
    result = Result.DIFFERS if differences else Result.EQUAL
    return Replayed(result=result, snapshot=facts.snapshot, differences=differences, notes=notes)


def _removed(*notes: str) -> Replayed:
    return Replayed(result=Result.EVIDENCE_REMOVED, differences={}, notes=notes)


def _facts(store: Store, registry: Registry, settings: AnalysisSettings, verdict: Verdict) -> tuple[Facts, bool]:
    """Read the verdict's window; say whether from its own snapshot."""
    start, end, since = verdict.facts_start, verdict.facts_end, verdict.facts_since
    if start is None or end is None or since is None:
        raise WhichlayerError("this verdict does not say which facts it was drawn from: it cannot be drawn again")
    hours = Slice(start=start - WEEKS, end=end)

    def read(snapshot: int) -> pa.Table:
        return store.hourly(hours, snapshot=snapshot)

    snapshot, exact = verdict.snapshot, True
    try:
        hourly = read(snapshot)
    except NotInStore:
        snapshot, exact = store.flush(), False
        hourly = read(snapshot)
    facts = load_at(store, registry, settings, (start, end, since), snapshot, hourly)
    estate = None if verdict.estate is None else registry.estate(verdict.estate)
    known = [change for change in facts.changes if change.declared_at <= verdict.reached_at]
    return replace(facts, estate=estate, changes=known), exact


def _again(verdict: Verdict, facts: Facts, settings: AnalysisSettings) -> Verdict | None:
    """Conclude, and find what is said of the same episode: a later version has the id and start of the first."""
    found = concluded(facts, settings, verdict.reached_at, (verdict.against,))
    mine = [
        one for one in found if _key(one) == _key(verdict) and one.start <= verdict.end and one.end >= verdict.start
    ]
    chosen = min(mine, key=lambda one: (one.status is not verdict.status, abs(one.end - verdict.end)), default=None)
    if chosen is None or verdict.version == 1 or verdict.status not in BAD:
        return chosen
    return replace(chosen, start=min(chosen.start, verdict.start))


def _key(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.site, verdict.journey, verdict.step, verdict.population, verdict.environment)


def _notes(verdict: Verdict, facts: Facts, again: Verdict | None, *, exact: bool, same: bool) -> Iterator[str]:
    if not exact and same:
        yield f"its snapshot {verdict.snapshot} was let go of; snapshot {facts.snapshot} has the very same facts"
    elif not exact:
        yield (
            f"its snapshot {verdict.snapshot} was let go of, and its window holds other facts now: rows came late, "
            "or some were removed, by age or with a site"
        )
    elif not same:
        yield "the digest of the facts is another one: whichlayer reads other columns now, or the store is damaged"
    if verdict.estate is not None and facts.estate is None:
        yield "the map of the estate it was drawn with is gone"
    if again is not None and again.methods != verdict.methods:
        now = ", ".join(f"{use.name} {use.version}" for use in again.methods)
        yield f"methods are others now: {now}"


def _others(verdict: Verdict, today: AnalysisSettings) -> Iterator[str]:
    """Say what it was drawn with that is another today."""
    if verdict.settings is None or verdict.made_with is None:
        yield "it does not say with which settings it was drawn: today's were taken"
        return
    for name, now in shaping(today).items():
        if name in verdict.settings and verdict.settings[name] != now:
            yield f"analysis.{name} was {verdict.settings[name]} then, and that was taken; it is {now} today"
    for name in verdict.settings.keys() - shaping(today).keys():
        yield f"analysis.{name} is no setting any more"
    for package, installed in made_with().items():
        then = verdict.made_with.get(package, "not told")
        if then != installed:
            yield f"{package} was {then} then, it is {installed} today"


def _differences(old: Verdict, new: Verdict | None) -> Iterator[tuple[str, tuple[Value, Value]]]:
    if new is None:
        yield "status", (str(old.status), None)
        return
    before, after = (dict(_flat("", _VERDICT.dump_python(one, mode="json"))) for one in (old, new))
    for place in sorted(before.keys() | after.keys()):
        if place.partition(".")[0] not in _CIRCUMSTANCES and before.get(place) != after.get(place):
            yield place, (before.get(place), after.get(place))


def _flat(place: str, value: Any) -> Iterator[tuple[str, Value]]:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _flat(f"{place}.{key}" if place else str(key), inner)
    else:
        yield place, rounded(value) if isinstance(value, float) else value
