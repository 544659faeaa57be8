"""Slowness that stands: a target missed, or the best access beaten, in at least half of a long window's hours.

It has no beginning to look at and no quiet time before it. So a few stretches are read run by run, spread evenly over
the hours that were slow, and what is concluded from them together is said of the whole window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa

from analysis.history import BAD
from analysis.job import concluded
from analysis.loading import Facts, load_at, rows_in
from analysis.rollup import Hours
from analysis.series import Key
from analysis.settings import AnalysisSettings
from analysis.window import digest
from collector.model.verdict import Reference, Verdict
from collector.registry import Registry
from collector.server_account import SPANS
from collector.store import Store

LOOKS = 4
HOUR = timedelta(hours=1)
SHORTEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read of the whole window: its hours, of which snapshot, against what and when."""

    hourly: pa.Table
    snapshot: int
    against: Reference
    now: datetime


def standing(
    store: Store, registry: Registry, settings: AnalysisSettings, hours: Sequence[Hours], read: Read
) -> list[Verdict]:
    """Give a verdict of the whole window for each step and access of ``hours`` that the looks confirm."""
    slow = {one.key: one for one in hours if one.standing}
    if not slow:
        return []
    every = sorted({hour for one in slow.values() for hour in one.slow})
    chosen = sorted({every[int((place + 0.5) * len(every) / LOOKS)] for place in range(LOOKS)})
    looked = [(hour, hour + _length(read.hourly, hour, settings, len(chosen))) for hour in chosen]
    parts = [
        load_at(store, registry, settings, (start, end, start), read.snapshot, read.hourly) for start, end in looked
    ]
    found = concluded(_together(parts), settings, read.now, (read.against,))
    longest: dict[Key, Verdict] = {}
    for one in found:
        key = Key(
            site=one.site, journey=one.journey, step=one.step, population=one.population, environment=one.environment
        )
        if one.status in BAD and key in slow and (key not in longest or longest[key].runs < one.runs):
            longest[key] = one
    return [_whole(one, slow[key], looked) for key, one in longest.items()]


def _length(hourly: pa.Table, hour: datetime, settings: AnalysisSettings, looks: int) -> timedelta:
    """Say how much of an hour may be read so that all looks together stay within ``history_rows``."""
    rows = rows_in(hourly, hour, hour + HOUR) * looks
    return HOUR if rows <= settings.history_rows else max(SHORTEST, HOUR * (settings.history_rows / rows))


def _together(parts: Sequence[Facts]) -> Facts:
    tables = {name: _joined([part.tables[name] for part in parts]) for name in ("steps", "samples")}
    kept: Mapping[str, pa.Table] = {**tables, "hourly": parts[0].tables["hourly"]}
    return replace(
        parts[0],
        end=parts[-1].end,
        tables=kept,
        changes=tuple({change.change_id: change for part in parts for change in part.changes}.values()),
        ledger=tuple(dict.fromkeys(event for part in parts for event in part.ledger)),
        digest=digest(list(kept.values())),
    )


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    if any(SPANS in table.column_names for table in tables):
        no = pa.scalar(value=False)
        tables = [
            table if SPANS in table.column_names else table.append_column(SPANS, pa.repeat(no, len(table)))
            for table in tables
        ]
    return pa.concat_tables(tables).unify_dictionaries()


def _whole(verdict: Verdict, hours: Hours, looked: Sequence[tuple[datetime, datetime]]) -> Verdict:
    """Say of the whole window what the looks say: it lasted from the first slow hour to the last."""
    times = ", ".join(f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}" for start, end in looked)
    note = (
        f"slow in {len(hours.slow)} of {hours.known} hours by their medians; layers and excess are drawn from the runs "
        f"of {times} UTC"
    )
    return replace(
        verdict,
        start=hours.slow[0],
        end=hours.slow[-1] + HOUR,
        open=False,
        data_quality=(note, *verdict.data_quality),
        facts_start=None,
        facts_end=None,
        facts_since=None,
    )
