"""Carries a verdict on from one analysis to the next: same episode, same id, next version."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from analysis.statistics import rounded
from collector.model.verdict import Interval, Status, Verdict

BAD = (Status.SLOW, Status.FAILING)
LEAST_PAUSE = timedelta(seconds=60)
GROWTH = 0.1  # of the episode's length, before a new version is worth keeping when nothing else changed


def carried(found: Sequence[Verdict], before: Sequence[Verdict], *, why: str = "") -> list[Verdict]:
    """Give each of ``found``, slow or failing, the id of the episode it continues, and the version that follows.

    When nothing a reader would notice changed since, it is the earlier version itself. Where one closes the gap between
    several earlier ones, the oldest goes on and the others are given too, marked as merged into it. An earlier one is
    continued once: what else lies over it is an episode of its own. ``why`` is what else there is to say of a change.
    """
    carried: list[Verdict] = []
    taken: set[str] = set()
    for verdict in sorted(found, key=lambda one: (one.start, one.id)):
        same = [old for old in before if old.id not in taken and _continues(verdict, old)]
        taken.update(old.id for old in same)
        if not same:
            carried.append(verdict)
            continue
        first, *others = sorted(same, key=lambda old: (old.start, old.id))
        carried.append(_next(first, verdict, others, why))
        carried += [_merged(old, first.id, verdict) for old in others]
    return carried


def withdrawn(verdict: Verdict, quiet: Verdict, why: str) -> Verdict:
    """Give the version that takes an episode back: with facts that came late the step was ``quiet`` in its time."""
    return replace(
        quiet,
        id=verdict.id,
        version=verdict.version + 1,
        start=verdict.start,
        end=verdict.end,
        changed=(why, f"with them it is {str(quiet.status).replace('_', ' ')}"),
    )


def _next(earlier: Verdict, verdict: Verdict, others: Sequence[Verdict], why: str) -> Verdict:
    reached = earlier.reached_at if _answer(earlier) == _answer(verdict) else verdict.reached_at
    start = min([verdict.start, earlier.start, *(old.start for old in others)])
    verdict = replace(verdict, id=earlier.id, start=start, version=earlier.version + 1, reached_at=reached)
    if not others and not _noticeable(earlier, verdict):
        return earlier
    merges = [f"verdict {old.id} is the same episode: the gap between the two closed" for old in others]
    return replace(verdict, changed=(*([why] if why else []), *merges, *differences(earlier, verdict)))


def _merged(old: Verdict, into: str, by: Verdict) -> Verdict:
    said = f"it is the same episode as verdict {into}, which goes on with it"
    return replace(
        old, version=old.version + 1, open=False, merged_into=into, reached_at=by.reached_at, changed=(said,)
    )


def differences(old: Verdict, new: Verdict) -> list[str]:
    """Say, in words, what a reader would notice between two versions."""
    facts = {
        f"{new.status} instead of {old.status}": new.status is not old.status,
        f"blamed is {_names(new)}, before {_names(old)}": _names(new) != _names(old),
        **_shares(old, new),
        "what cannot be told apart changed": new.inseparable != old.inseparable,
        "the excess changed": _size(new) != _size(old),
        f"it began earlier, at {new.start:%H:%M:%S} UTC": new.start < old.start,
        f"it grew by {(new.end - old.end).total_seconds():.0f} s": new.end > old.end,
        "it ended": old.open and not new.open,
        "it goes on": new.open and not old.open,
    }
    return [words for words, so in facts.items() if so]


def _shares(old: Verdict, new: Verdict) -> dict[str, bool]:
    before = {layer.layer: layer.share for layer in old.blamed}
    return {
        f"the share of {_word(one.layer)} is {one.share:.0%}, before {before[one.layer]:.0%}": (
            round(one.share, 1) != round(before[one.layer], 1)
        )
        for one in new.blamed
        if one.layer in before
    }


def _names(verdict: Verdict) -> str:
    return " and ".join(_word(layer.layer) for layer in verdict.blamed) or "nobody"


def _word(layer: str) -> str:
    return str(layer).replace("_", " ")


def oldest_open(before: Sequence[Verdict], *, fallback: datetime, lookback: timedelta, limit: timedelta) -> datetime:
    """Say how far back single runs are needed so that open episodes keep the quiet time before them."""
    starts = [v.start - lookback for v in before if v.open and v.status in BAD]
    return max(fallback - limit, min([fallback, *starts]))


def _continues(verdict: Verdict, old: Verdict) -> bool:
    return (
        old.status in BAD
        and key(old) == key(verdict)
        and old.start <= verdict.end
        and (verdict.start <= old.end or (old.open and verdict.start <= old.end + LEAST_PAUSE))
    )


def key(verdict: Verdict) -> tuple[object, ...]:
    """Give what verdicts of one episode have in common."""
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
