"""Reads a window's facts from one snapshot, as columns, ready to be handed to a worker process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa

from analysis.demand import DEMAND
from analysis.methods.calls import MEAN, RATE
from analysis.quality import AGENTS
from analysis.settings import AnalysisSettings
from analysis.window import Window, digest, set_apart
from collector import server_account, tables
from collector.model.catalogue import CATALOGUE
from collector.model.change import Change
from collector.model.estate import Estate
from collector.model.metric import Direction
from collector.model.quality import QualityEvent
from collector.quality import ledger
from collector.registry import Registry
from collector.store import Slice, Store

WEEKS = timedelta(weeks=4)
SAMPLES_BEFORE = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
SPANS_BESIDE = timedelta(hours=1)  # spans carry the time of our receiving them, runs that of their agent's clock
# Few values, many rows: each word is kept once, and what is compared, hashed and handed on are numbers.
FEW_VALUES = {
    "site",
    "endpoint",
    "link",
    "presentation",
    "journey",
    "journey_hash",
    "environment",
    "step",
    "outcome",
    "release",
} | {"component", "layer", "metric", "labels"}
COUNTED = (RATE, MEAN)  # say how busy, and are held against each other
METRICS = sorted(
    {name for name, metric in CATALOGUE.items() if metric.direction is not Direction.NEUTRAL}
    | {*AGENTS, *COUNTED, *DEMAND}
)
_UNUSED = {"started_at", "uncertainty_seconds", "requests", "connection", "bytes_received", "error"}
STEP_COLUMNS = [name for name in tables.STEPS.names if name not in _UNUSED]
SAMPLE_COLUMNS = ["at", "site", "component", "layer", "metric", "value", "labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A window as it travels between processes: Arrow tables, which go as they lie in memory."""

    start: datetime
    end: datetime
    history_start: datetime
    snapshot: int
    tables: Mapping[str, pa.Table]
    changes: Sequence[Change]
    ledger: Sequence[QualityEvent]
    digest: str
    estate: Estate | None


def load(
    store: Store, registry: Registry, settings: AnalysisSettings, *, start: datetime, end: datetime, since: datetime
) -> Facts:
    """Flush, then read everything from that one snapshot. ``since`` is how far back single runs may be read."""
    snapshot = store.flush()
    hourly = store.hourly(Slice(start=start - WEEKS, end=end), snapshot=snapshot)
    return load_at(store, registry, settings, (start, end, since), snapshot, hourly)


def load_at(
    store: Store,
    registry: Registry,
    settings: AnalysisSettings,
    period: tuple[datetime, datetime, datetime],
    snapshot: int,
    hourly: pa.Table,
) -> Facts:
    """Read ``period`` (start, end, since) of a snapshot whose roll-up is known."""
    start, end, since = period
    since = affordable(hourly, since, (start, end), settings.history_rows)
    sampled = max(since, start - SAMPLES_BEFORE)
    steps = store.scan("steps", Slice(start=since, end=end), columns=STEP_COLUMNS, snapshot=snapshot)
    beside = Slice(start=since - SPANS_BESIDE, end=end + SPANS_BESIDE)
    parts = store.scan("server_parts", beside, columns=server_account.NEEDED, snapshot=snapshot)
    steps = server_account.with_spans(steps, parts)
    told = Slice(start=sampled, end=end, where={"metric": METRICS})
    samples = store.scan("samples", told, columns=SAMPLE_COLUMNS, snapshot=snapshot)
    told_of = ledger.rows_of(store, since, end, snapshot=snapshot)
    found = {name: _coded(rows) for name, rows in (("steps", steps), ("samples", samples), ("hourly", hourly))}
    return Facts(
        start=start,
        end=end,
        history_start=since,
        snapshot=snapshot,
        tables=found,
        changes=tuple(registry.changes(since, end)),
        ledger=tuple(ledger.overlapping(ledger.events_of(told_of), since, end)),
        digest=digest([*found.values(), *([told_of] if told_of.num_rows else [])]),
        estate=registry.estate(),
    )


def affordable(hourly: pa.Table, since: datetime, period: tuple[datetime, datetime], rows: int) -> datetime:
    """Shorten history from its far end until window and history hold about ``rows`` step rows, at least one step."""
    start, end = period
    frame = hourly.select(["hour", "runs"]).to_pandas()
    per_hour = frame.groupby("hour")["runs"].sum().sort_index()
    total, begin = float(rows_in(hourly, start, end)), start
    while begin > since and (total <= rows or begin == start):
        begin = max(since, begin - QUARTER)
        total += float(per_hour.get(pd.Timestamp(tables.naive(begin)).floor("h"), 0)) / 4
    return begin


def rows_in(hourly: pa.Table, start: datetime, end: datetime) -> int:
    """Count the step rows of the hours that begin in ``start`` to ``end``."""
    frame = hourly.select(["hour", "runs"]).to_pandas()
    inside = (frame["hour"] >= tables.naive(start)) & (frame["hour"] < tables.naive(end))
    return int(frame.loc[inside, "runs"].sum())


def window(facts: Facts) -> Window:
    """Open what travelled."""
    frames = {name: _frame(table) for name, table in facts.tables.items()}
    steps, mixed = set_apart(frames["steps"])
    return Window(
        start=facts.start,
        end=facts.end,
        history_start=facts.history_start,
        snapshot=facts.snapshot,
        steps=steps,
        mixed=mixed,
        samples=frames["samples"],
        hourly=frames["hourly"],
        changes=facts.changes,
        ledger=facts.ledger,
        digest=facts.digest,
        estate=facts.estate,
    )


def _coded(table: pa.Table) -> pa.Table:
    for place, name in enumerate(table.column_names):
        if name in FEW_VALUES:
            table = table.set_column(place, name, table.column(place).dictionary_encode())
    return table


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True)  # numbers are not copied
    return frame
