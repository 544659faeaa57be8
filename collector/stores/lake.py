"""The lake: facts as Parquet files under DuckLake, with a spool in front so that an answer is a promise.

A batch goes into the spool (durable), then among the hot rows. A flush commits all hot rows, their
batch ids and their spool sequences to the lake at once, and only then lets the spool forget them.
What a reader without a snapshot sees is one pair taken under one lock: the last committed snapshot
and the rows that are not in it. So it never sees a row twice and never misses one.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from collector import tables
from collector.model.errors import NotInStore, StoreError
from collector.spool import Spool
from collector.store import FOR_EVER, Batch, Every, Forgotten, Keep, Slice, StoreStatus
from collector.stores import _catalog, _commit, _forget, _query, _retention, _rollup
from collector.stores._batch import Rows, columns, columns_of, encode
from collector.stores._columns import plain
from collector.stores._flusher import Flusher
from collector.stores._hot import Hot
from collector.stores._periods import Periods
from collector.stores._pins import Pins

_GRACE = timedelta(minutes=10)  # somebody may still read: a snapshot just made, files just merged
_NEVER = 1970  # the year of a store that never removed rows
_REMEMBERED = timedelta(days=7)  # how long an agent may send a batch again
_Question = Callable[[_query.Query], tuple[_query.Query, pa.Schema]]  # of the rows it is given
log = logging.getLogger("whichlayer.collector")


class LakeStore:
    """One owner's lake in ``data/lake`` with its spool in ``data/spool``. Safe for many threads."""

    def __init__(
        self,
        data: Path,
        *,
        keep: Keep = FOR_EVER,
        spool_limit_bytes: int = 2**30,
        flush_seconds: float | None = 10.0,
        memory_limit: str = "1GB",
        threads: int = 2,
    ) -> None:
        """Open, or make, the lake; ``flush_seconds`` None commits only when ``flush`` is called.

        Raises StoreError when another process has it open, or the disk cannot be used.
        """
        self._folder = data / "lake"
        self._open = partial(
            _catalog.connect, self._folder, owner=data / "owner.json", memory_limit=memory_limit, threads=threads
        )
        self._root = self._open()
        self._keep_for = keep
        self._writing = threading.RLock()  # one writer of the lake at a time
        self._failing: tuple[datetime, str] | None = None  # since when flushes fail, and of what the last one did
        self._flusher = Flusher(self.flush, flush_seconds)
        try:
            self._pins = Pins(data / "lake" / "pins")
            self._spool = Spool(data / "spool", limit_bytes=spool_limit_bytes)
            with self._root.cursor() as cursor:
                self._since = _retention.since(cursor)
            self._periods = Periods(self._root, self._since)
            self._held = self._held_by_pins()
            self._hot = self._replayed()
            if (self._folder / _forget.MARK).exists():
                log.warning("a site was being removed when this lake was closed: ending that first")
                self._purge()
        except BaseException:
            self._root.close()
            raise
        self._flusher.start()

    def append(self, batch: Batch) -> bool:
        """See ``Store.append``."""
        return self._keep(columns_of(batch))

    def append_table(self, batch_id: str, sender: str, name: str, rows: pa.Table) -> bool:
        """See ``Store.append_table``."""
        return self._keep(columns(batch_id, sender, name, rows))

    def flush(self) -> int:
        """See ``Store.flush``."""
        with self._writing:
            try:
                snapshot = self._committed()
            except Exception as error:
                since = self._failing[0] if self._failing else datetime.now(UTC)
                self._failing = since, str(error)
                raise
            self._failing = None
            return snapshot

    def scan(
        self, name: str, rows: Slice, *, columns: Sequence[str] | None = None, snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.scan``."""
        needed = _query.needed(name, rows, columns)
        return self._read(name, snapshot, needed, lambda origin: _query.scan(name, origin, rows, columns))

    def counts(self, name: str, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.counts``."""
        tables.schema(name)
        needed = [tables.TIME_COLUMN[name], *rows.where]
        return self._read(name, snapshot, needed, lambda origin: (_query.counts(name, origin, rows), tables.COUNTS))

    def hourly(self, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.hourly``."""
        with self._hot.reading(snapshot, "steps") as (version, hot), self._root.cursor() as cursor:
            return _rollup.summary(cursor, rows, version, _retention.in_time("steps", hot, self._since))

    def trend(
        self, name: str, rows: Slice, *, every: Every, by: Sequence[str] = (), snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.trend``."""
        tables.trend(name, by)
        with self._hot.reading(snapshot, name) as (version, hot), self._root.cursor() as cursor:
            return _rollup.trend(cursor, name, rows, every, by, version, _retention.in_time(name, hot, self._since))

    def pin(self, snapshot: int) -> None:
        """See ``Store.pin``."""
        with self._writing:
            if snapshot not in {number for number, _made_at in _commit.snapshots(self._root)}:
                raise NotInStore(f"there is no snapshot {snapshot}: it was never made, or let go of unpinned")
            self._pins.add(snapshot)

    def maintain(self, now: datetime) -> None:
        """See ``Store.maintain``. Each step is a commit of its own, so that flushes get in between."""
        self.flush()
        self._roll(now)
        self._remove_old(now)
        self._tidy(lambda cursor: _commit.forget_batches(cursor, now - _REMEMBERED))
        self._tidy(_commit.merge)
        self._tidy(lambda cursor: _commit.expire(cursor, self._let_go(now)))
        self._tidy(lambda cursor: _commit.remove_unused(cursor, now - _GRACE))
        self._held = self._held_by_pins()

    def forget(self, site: str, *, dry_run: bool = False) -> Forgotten:
        """See ``Store.forget``. Readers and senders wait while old files go, not while new ones are written."""
        with self._writing:
            self._spool.begin_segment()  # or a record of the site stays in a file with later ones
            self.flush()
            with self._root.cursor() as cursor:
                rows, size = _forget.held(cursor, site)
            found = Forgotten(rows=rows, bytes=size, snapshots=len({*self._pins} - {self._hot.snapshot}))
            if dry_run or not size:
                return found
            before = _forget.mark(self._folder)
            self._tidy(lambda cursor: _forget.remove(cursor, site))
            self._purge()
            return replace(found, bytes=before - _forget.bytes_in(self._folder))

    def status(self) -> StoreStatus:
        """See ``Store.status``."""
        hot_rows, batches = self._hot.counts()
        since, failure = self._failing or (None, "")
        return StoreStatus(
            snapshot=self._hot.snapshot,
            hot_rows=hot_rows,
            spool_bytes=self._spool.size,
            spool_limit_bytes=self._spool.limit,
            batches=batches,
            duplicates=self._hot.duplicates,
            flush_failing_since=since,
            flush_failure=failure,
            spool_lost_records=self._spool.damaged,
            rows_since=self._since.replace(tzinfo=UTC) if self._since.year > _NEVER else None,
            bytes_kept_by_pins=self._held,
        )

    def close(self) -> None:
        """See ``Store.close``; what cannot be committed stays in the spool for the next start."""
        self._flusher.stop()
        try:
            self.flush()
        finally:
            self._spool.close()
            self._root.close()

    def _read(self, name: str, snapshot: int | None, needed: Sequence[str], asked: _Question) -> pa.Table:
        with self._hot.reading(snapshot, name) as (version, hot), self._root.cursor() as cursor:
            parts = [f"lake.{name} AT (VERSION => {version:d})"]
            if hot:
                cursor.register("hot", plain(tables.schema(name), hot))
                parts.append("hot")
            query, schema = asked(_query.Query(text=_query.source(name, parts, needed)))
            try:
                return query.run(cursor, schema)
            except StoreError as error:
                if snapshot is None or "does not exist at version" not in str(error):
                    raise
                return schema.empty_table()  # the snapshot is older than the table

    def _committed(self) -> int:
        hot = self._hot.to_commit()
        if not hot:
            return self._hot.snapshot
        touched = self._periods.touched(hot.values())
        snapshot = _commit.commit(self._root, self._folder, hot, lambda cursor: self._periods.late(cursor, touched))
        self._periods.committed(touched)
        self._hot.committed(hot, snapshot)
        self._spool.release(max(hot))
        return snapshot

    def _replayed(self) -> Hot:
        """Take up what the spool holds and the lake does not."""
        known = _commit.batch_ids(self._root)
        hot = Hot(_commit.snapshot(self._root), known, confirm=lambda batch_id: _commit.holds(self._root, batch_id))
        self._spool.begin_after(_commit.highest_sequence(self._root))
        hot.replay(self._spool.records())
        return hot

    def _keep(self, rows: Rows) -> bool:
        payload = encode(rows)
        sequence, new = self._hot.begin(rows, lambda: self._spool.write(payload))
        if sequence is None:
            return False
        try:
            self._spool.sync(sequence)
        except StoreError:
            if new:
                self._hot.settle(sequence, durable=False)
            raise
        if new:
            self._hot.settle(sequence, durable=True)
        return new

    def _roll(self, now: datetime) -> None:
        """Summarise what is over: hours, then days one by one, each after all of its hours."""
        self._roll_hours(now)
        for name, day in self._periods.days(now):
            with self._writing:
                self._roll_hours(now)  # a late step may have come meanwhile
                self._tidy(lambda cursor, name=name, day=day: _rollup.roll_day(cursor, name, day))  # type: ignore[misc]
                self._periods.rolled(name, "day", [day])

    def _roll_hours(self, now: datetime) -> None:
        with self._writing:
            hours = self._periods.hours(now)
            if hours:
                self._tidy(lambda cursor: _rollup.roll(cursor, hours))
                self._periods.rolled("steps", "hour", hours)

    def _remove_old(self, now: datetime) -> None:
        """Remove whole days that were kept long enough, rows only after they are summarised."""
        keep = self._keep_for
        with self._writing:
            if keep.rows is not None:
                before = max(self._since, self._periods.removable(_retention.limit(now, keep.rows)))
                self._tidy(lambda cursor: _retention.remove_rows(cursor, before, self._since))
                self._since = before
                self._periods.removed(before)
            if keep.rollups is not None:
                until = min(_retention.limit(now, keep.rollups), self._since)
                self._tidy(lambda cursor: _retention.remove_rollups(cursor, until))
            if keep.pinned is not None:
                limit = now - keep.pinned
                self._pins.remove(n for n, made_at in _commit.snapshots(self._root) if made_at < limit)

    def _purge(self) -> None:
        """Let nothing stay that only old snapshots know: of files, and of the catalog's own."""
        self._tidy(_forget.rewrite)
        with self._hot.alone():
            newest = self._hot.snapshot
            self._pins.remove([number for number in self._pins if number != newest])
            old = [number for number, _made_at in _commit.snapshots(self._root) if number != newest]
            self._tidy(lambda cursor: _commit.expire(cursor, old))
            self._tidy(_forget.remove_files)
            self._root.close()
            try:
                _forget.write_catalog_anew(self._folder)
            finally:
                self._root = self._open()
        _forget.unmark(self._folder)

    def _held_by_pins(self) -> int:
        with self._root.cursor() as cursor:
            return _retention.bytes_kept_by(cursor, self._pins)

    def _tidy(self, step: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        with self._writing:
            with _commit.transaction(self._root, self._folder) as cursor:
                step(cursor)
            self._hot.committed((), _commit.snapshot(self._root))

    def _let_go(self, now: datetime) -> list[int]:
        """List the snapshots nobody pinned, reads or may have just asked for."""
        keep = self._hot.in_use() | {self._hot.snapshot}
        return [
            number
            for number, made_at in _commit.snapshots(self._root)
            if made_at < now - _GRACE and number not in keep and number not in self._pins
        ]
