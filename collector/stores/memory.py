"""A store that lives in memory: for trying things out and for short lives. It forgets when it closes."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector import tables
from collector.model.errors import NotInStore, StoreFull
from collector.store import Batch, Every, Forgotten, Slice, StoreStatus
from collector.stores import _query, _trend
from collector.stores._batch import Rows, columns, columns_of
from collector.stores._columns import plain

_GRACE = timedelta(minutes=10)  # a reader that just flushed may still want its snapshot


class MemoryStore:
    """Keeps every batch as Arrow tables; a snapshot is how many batches there were."""

    def __init__(self, *, limit_bytes: int = 2**30) -> None:
        """Keep at most ``limit_bytes`` of rows."""
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._batches: list[Rows] = []
        self._ids: set[str] = set()
        self._bytes = 0
        self._duplicates = 0
        self._snapshots: dict[int, tuple[int, datetime]] = {0: (0, datetime.now(UTC))}
        self._pinned: set[int] = set()
        self._root = duckdb.connect()

    def append(self, batch: Batch) -> bool:
        """See ``Store.append``."""
        return self._keep(columns_of(batch))

    def append_table(self, batch_id: str, sender: str, name: str, rows: pa.Table) -> bool:
        """See ``Store.append_table``."""
        return self._keep(columns(batch_id, sender, name, rows))

    def flush(self) -> int:
        """See ``Store.flush``."""
        with self._lock:
            last = max(self._snapshots)
            if self._snapshots[last][0] < len(self._batches):
                last += 1
                self._snapshots[last] = (len(self._batches), datetime.now(UTC))
            return last

    def scan(
        self, name: str, rows: Slice, *, columns: Sequence[str] | None = None, snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.scan``."""
        origin = _query.Query(text=_query.source(name, ["kept"]))
        query, schema = _query.scan(name, origin, rows, columns)
        return self._ask(query, name, snapshot, schema)

    def counts(self, name: str, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.counts``."""
        origin = _query.Query(text=_query.source(name, ["kept"]))
        return self._ask(_query.counts(name, origin, rows), name, snapshot, tables.COUNTS)

    def hourly(self, rows: Slice, *, snapshot: int | None = None) -> pa.Table:
        """See ``Store.hourly``."""
        origin = _query.Query(text=_query.source("steps", ["kept"]))
        return self._ask(_query.hourly(origin, rows), "steps", snapshot, tables.HOURLY)

    def trend(
        self, name: str, rows: Slice, *, every: Every, by: Sequence[str] = (), snapshot: int | None = None
    ) -> pa.Table:
        """See ``Store.trend``."""
        schema = tables.trend(name, by)
        days = _trend.days(name, _query.Query(text=_query.source(name, ["kept"])), rows, by)
        return self._ask(_trend.merged(name, [days], every, by), name, snapshot, schema)

    def pin(self, snapshot: int) -> None:
        """See ``Store.pin``."""
        with self._lock:
            self._count(snapshot)
            self._pinned.add(snapshot)

    def maintain(self, now: datetime) -> None:
        """See ``Store.maintain``."""
        with self._lock:
            latest = max(self._snapshots)
            for snapshot, (_count, made_at) in list(self._snapshots.items()):
                if snapshot not in self._pinned and snapshot != latest and made_at < now - _GRACE:
                    del self._snapshots[snapshot]

    def forget(self, site: str, *, dry_run: bool = False) -> Forgotten:
        """See ``Store.forget``; the bytes are those in memory."""
        latest = self.flush()
        with self._lock:
            kept = [_without(rows, site) for rows in self._batches]
            pairs = list(zip(self._batches, kept, strict=True))
            found = Forgotten(
                rows={name: sum(_rows(old, name) - _rows(new, name) for old, new in pairs) for name in tables.TABLES},
                bytes=sum(_size(old) - _size(new) for old, new in pairs),
                snapshots=len(self._pinned - {latest}),
            )
            if not dry_run and any(found.rows.values()):
                self._batches, self._pinned = kept, self._pinned & {latest}
                self._snapshots = {latest: self._snapshots[latest]}
                self._bytes -= found.bytes
            return found

    def status(self) -> StoreStatus:
        """See ``Store.status``; the bytes are those in memory."""
        with self._lock:
            snapshot = max(self._snapshots)
            return StoreStatus(
                snapshot=snapshot,
                hot_rows=sum(len(rows) for rows in self._batches[self._snapshots[snapshot][0] :]),
                spool_bytes=self._bytes,
                spool_limit_bytes=self._limit,
                batches=len(self._batches),
                duplicates=self._duplicates,
            )

    def close(self) -> None:
        """See ``Store.close``."""
        self._root.close()

    def _keep(self, rows: Rows) -> bool:
        size = _size(rows)
        with self._lock:
            if rows.batch_id in self._ids:
                self._duplicates += 1
                return False
            if self._bytes + size > self._limit:
                raise StoreFull(f"the store holds its limit of {self._limit} bytes in memory")
            self._batches.append(rows)
            self._ids.add(rows.batch_id)
            self._bytes += size
            return True

    def _ask(self, query: _query.Query, name: str, snapshot: int | None, schema: pa.Schema) -> pa.Table:
        with self._lock:
            count = len(self._batches) if snapshot is None else self._count(snapshot)
            found = [rows.tables[name] for rows in self._batches[:count] if name in rows.tables]
        with self._root.cursor() as cursor:
            cursor.register("kept", plain(tables.schema(name), found))
            return query.run(cursor, schema)

    def _count(self, snapshot: int) -> int:
        try:
            return self._snapshots[snapshot][0]
        except KeyError:
            raise NotInStore(f"there is no snapshot {snapshot}: it was never made, or let go of unpinned") from None


def _without(rows: Rows, site: str) -> Rows:
    kept = {name: table.filter(pc.field("site") != site) for name, table in rows.tables.items()}
    return replace(rows, tables={name: table for name, table in kept.items() if table.num_rows})


def _rows(rows: Rows, name: str) -> int:
    return rows.tables[name].num_rows if name in rows.tables else 0


def _size(rows: Rows) -> int:
    return sum(table.nbytes for table in rows.tables.values())
