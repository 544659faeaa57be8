"""Carries a verdict on from one analysis to the next: same episode, same id, next version."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from analysis.statistics import rounded
from collector.model.verdict import Interval, Status, Verdict

BAD = (Status.SLOW, Status.FAILING)
LEAST_PAUSE = timedelta(seconds=60)
GROWTH = 0.1  # of the episode's length, before a new version is worth keeping when nothing else changed


def carried(verdict: Verdict, before: Sequence[Verdict]) -> Verdict:
    """Give ``verdict`` the id of the episode it continues, and the version that follows.

    When nothing a reader would notice changed since, it is the earlier version itself.
    """
    earlier = _same_episode(verdict, before)
    if earlier is None:
        return verdict
    reached = earlier.reached_at if _answer(earlier) == _answer(verdict) else verdict.reached_at
    start = min(earlier.start, verdict.start)
    verdict = replace(verdict, id=earlier.id, start=start, version=earlier.version + 1, reached_at=reached)
    return verdict if _noticeable(earlier, verdict) else earlier


def oldest_open(before: Sequence[Verdict], *, fallback: datetime, lookback: timedelta, limit: timedelta) -> datetime:
    """Say how far back single runs are needed so that open episodes keep the quiet time before them."""
    starts = [v.start - lookback for v in before if v.open and v.status in BAD]
    return max(fallback - limit, min([fallback, *starts]))


def _same_episode(verdict: Verdict, before: Sequence[Verdict]) -> Verdict | None:
    found = [
        old
        for old in before
        if old.status in BAD
        and _key(old) == _key(verdict)
        and old.start <= verdict.end
        and (verdict.start <= old.end or (old.open and verdict.start <= old.end + LEAST_PAUSE))
    ]
    return max(found, key=lambda old: (old.end, old.version), default=None)


def _key(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.site,
        verdict.journey,
        verdict.step,
        verdict.population,
        verdict.environment,
        verdict.against,
    )


def _answer(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.status, tuple(layer.layer for layer in verdict.blamed))


def _noticeable(old: Verdict, new: Verdict) -> bool:
    if (_answer(old), old.open, old.inseparable) != (_answer(new), new.open, new.inseparable):
        return True
    shares = zip(old.blamed, new.blamed, strict=True)
    if any(round(a.share, 1) != round(b.share, 1) for a, b in shares) or _size(old) != _size(new):
        return True
    grown = new.end - old.end
    return grown >= max(LEAST_PAUSE, GROWTH * (old.end - old.start))


def _size(verdict: Verdict) -> float | None:
    excess: Interval | None = verdict.excess_rate or verdict.excess_seconds
    return rounded(float(f"{excess.estimate:.1g}")) if excess else None
