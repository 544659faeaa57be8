"""The contract of a store: append-only facts in, one consistent snapshot out.

Implementations live in ``collector/stores/``; every one passes ``tests/contract/test_store*.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from collector.model.facts import Facts

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Facts):
    """Facts of one sender, kept together or not at all. ``batch_id`` twice is stored once.

    ``received_skew_seconds`` is the sender's clock minus the collector's when it arrived, or None.
    """

    batch_id: str
    sender: str
    received_skew_seconds: float | None = None

    @classmethod
    def of(cls, facts: Facts, *, batch_id: str, sender: str) -> "Batch":
        """Make a batch of facts that the collector read by itself."""
        return cls(
            batch_id=batch_id,
            sender=sender,
            runs=facts.runs,
            samples=facts.samples,
            sessions=facts.sessions,
            quality=facts.quality,
            host_events=facts.host_events,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which rows: ``start <= time < end`` (aware) and, per column, one of the given values.

    The time column is ``slot`` for runs and steps, ``at`` for the others.
    """

    start: datetime
    end: datetime
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Every(StrEnum):
    """How long the periods of a trend are."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long what is kept; None is for ever.

    ``rows`` are the facts themselves, by whole days; ``rollups`` hours and days, for at least as long; ``pinned`` the
    snapshots that verdicts, packs and reports name, with the files they need, from when they were made.
    """

    rows: timedelta | None = None
    rollups: timedelta | None = None
    pinned: timedelta | None = None


FOR_EVER = Keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """How the store is: for /readyz, /metrics and the data-quality page.

    ``flush_failing_since`` is when the first of an unbroken row of failed flushes was, None when the last
    one went well; ``flush_failure`` is what the last one failed of, and may name files of this machine.
    ``rows_since`` is the day before which rows were removed at the end of their time, ``bytes_kept_by_pins`` what lies
    on the disk only because a pinned snapshot needs it.
    """

    snapshot: int
    hot_rows: int
    spool_bytes: int
    spool_limit_bytes: int
    batches: int
    duplicates: int
    flush_failing_since: datetime | None = None
    flush_failure: str = ""
    spool_lost_records: int = 0
    rows_since: datetime | None = None
    bytes_kept_by_pins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What went with a site, or would go: ``rows`` by table of facts, roll-ups aside, and kept ``snapshots``.

    ``bytes`` is by how much less lies on the disk; of what only would go, the size of the files that are concerned,
    with the rows of others in them.
    """

    rows: Mapping[str, int]
    bytes: int
    snapshots: int


@runtime_checkable
class Store(Protocol):
    """Append-only facts. Times come back as naive UTC timestamps in microseconds.

    Table and column names are those of ``collector/tables.py``.
    """

    def append(self, batch: Batch) -> bool:
        """Keep ``batch`` durably and say whether it is new. When this returns, a crash loses nothing.

        Raises StoreFull when there is no room; then nothing of the batch was kept.
        """
        ...

    def append_table(self, batch_id: str, sender: str, name: str, rows: "pa.Table") -> bool:
        """Keep rows that are columns already (the volume doors), with the same promise as ``append``.

        Columns may come in any order; those that may be null may be left out. Raises RejectedBatch
        naming the column when a value is one our own words would refuse, NotInStore for an unknown
        table, StoreFull as ``append`` does.
        """
        ...

    def flush(self) -> int:
        """Commit all that was acknowledged so far; give the number of the snapshot that holds it."""
        ...

    def scan(
        self,
        name: str,
        rows: Slice,
        *,
        columns: Sequence[str] | None = None,
        snapshot: int | None = None,
    ) -> "pa.Table":
        """Read rows of table ``name``, ordered by its key columns.

        With ``snapshot`` the rows are exactly those of that version, today and later; without it
        the live view, with rows acknowledged but not yet committed. Raises NotInStore for a table,
        a column or a snapshot the store does not have.
        """
        ...

    def hourly(self, rows: Slice, *, snapshot: int | None = None) -> "pa.Table":
        """Summarise steps by hour and population: the columns of ``tables.HOURLY``.

        Quantiles are exact within the hour, over ok and slow steps only; timeouts and failures are
        counted beside them. Hours that are closed may come from a stored roll-up; the answer is the
        same. Raises NotInStore as ``scan`` does.
        """
        ...

    def trend(
        self, name: str, rows: Slice, *, every: Every, by: Sequence[str] = (), snapshot: int | None = None
    ) -> "pa.Table":
        """Summarise ``steps`` or ``samples`` by day, week, month and so on: the columns of ``tables.trend``.

        Quantiles are those of all values of the period, within 1 %, merged from closed days; never
        averages of quantiles. ``by`` are columns of ``tables.DAILY_GROUP``; days are those of UTC, and
        the first and last period hold what the slice holds of them. Raises NotInStore as ``scan`` does.
        """
        ...

    def counts(self, name: str, rows: Slice, *, snapshot: int | None = None) -> "pa.Table":
        """Count rows of table ``name`` by hour: the columns of ``tables.COUNTS``, hours without rows left out.

        Whoever reads more than fits into memory asks this first. Raises NotInStore as ``scan`` does.
        """
        ...

    def pin(self, snapshot: int) -> None:
        """Keep this snapshot readable for as long as pins are kept: a verdict, a pack or a report names it.

        Others may be let go of ten minutes after they were made. Raises NotInStore.
        """
        ...

    def maintain(self, now: datetime) -> None:
        """Merge small files, refresh the roll-ups, remove what is too old, let go of snapshots nobody pinned."""
        ...

    def forget(self, site: str, *, dry_run: bool = False) -> Forgotten:
        """Remove every fact of a site, with its bytes; ``dry_run`` only says what would go.

        Facts of all sites share files, so every snapshot but the newest is let go of, pinned or not; what the others
        sent is not touched. Facts of the site that come afterwards are new ones. A crash loses nothing else: the
        next opening ends what was begun.
        """
        ...

    def status(self) -> StoreStatus:
        """Say how the store is."""
        ...

    def close(self) -> None:
        """Commit and let go of every file and thread."""
        ...
