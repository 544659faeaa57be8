"""Batches that are acknowledged but not in the lake yet, and what a reader of "now" must look at."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from collector.model.errors import RejectedBatch, StoreError
from collector.stores._batch import Rows, decode
from collector.stores._known import KnownIds


class Hot:
    """Hot rows and the snapshot they come after, changed together under one lock."""

    def __init__(self, snapshot: int, known: Iterable[str], *, confirm: Callable[[str], bool]) -> None:
        """``known`` are the batch ids in the lake, ``confirm`` asks the lake about one of them."""
        self._changed = threading.Condition()
        self._snapshot = snapshot
        self._known = KnownIds(known, confirm=confirm)
        self._writing: dict[int, Rows] = {}  # in the spool, not yet durable
        self._durable: dict[int, Rows] = {}
        self._sequences: dict[str, int] = {}  # batch id -> sequence, of both
        self._readers: dict[int, int] = {}  # snapshot -> how many read it now
        self.duplicates = 0

    def replay(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Take the records found in the spool at start-up, unless the lake has them. Raises StoreError."""
        for sequence, payload in records:
            try:
                rows = decode(payload)
            except RejectedBatch as error:
                raise StoreError(f"record {sequence} of the spool cannot be read: {error}") from error
            with self._changed:
                if rows.batch_id not in self._known:
                    self._durable[sequence] = rows
                    self._sequences[rows.batch_id] = sequence

    def begin(self, rows: Rows, write: Callable[[], int]) -> tuple[int | None, bool]:
        """Call ``write`` unless the batch is known: give its sequence and whether it is new.

        The sequence of a batch that is in the lake already is None.
        """
        with self._changed:
            earlier = self._sequences.get(rows.batch_id)
            if earlier is not None or rows.batch_id in self._known:
                self.duplicates += 1
                return earlier, False
            sequence = write()
            self._writing[sequence] = rows
            self._sequences[rows.batch_id] = sequence
            return sequence, True

    def settle(self, sequence: int, *, durable: bool) -> None:
        """Say how ``begin`` went on: the record is durable and may be read, or it is lost."""
        with self._changed:
            rows = self._writing.pop(sequence)
            if durable:
                self._durable[sequence] = rows
            else:
                del self._sequences[rows.batch_id]
            self._changed.notify_all()

    def to_commit(self) -> dict[int, Rows]:
        """Give all hot rows in order; none that precedes one of them is still being written."""
        with self._changed:
            last = max(self._durable, default=0)
            self._changed.wait_for(lambda: min(self._writing, default=last + 1) > last)
            return {sequence: self._durable[sequence] for sequence in sorted(self._durable) if sequence <= last}

    def committed(self, sequences: Iterable[int], snapshot: int) -> None:
        """Let go of rows that ``snapshot`` holds."""
        with self._changed:
            gone = [self._durable.pop(sequence).batch_id for sequence in sequences]
            for batch_id in gone:
                del self._sequences[batch_id]
            self._known.add(gone)
            self._snapshot = snapshot

    @property
    def snapshot(self) -> int:
        """The last committed snapshot."""
        return self._snapshot

    @contextmanager
    def reading(self, snapshot: int | None, name: str) -> Iterator[tuple[int, list[pa.Table]]]:
        """Hold a snapshot while it is read: its number, and the hot rows of table ``name`` after it.

        None is the live view; a number has no hot rows.
        """
        with self._changed:
            version = self._snapshot if snapshot is None else snapshot
            batches = list(self._durable.values()) if snapshot is None else []
            self._readers[version] = self._readers.get(version, 0) + 1
        try:
            yield version, [rows.tables[name] for rows in batches if name in rows.tables]
        finally:
            with self._changed:
                self._readers[version] -= 1
                if not self._readers[version]:
                    del self._readers[version]
                    self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody reads; whoever comes to read or to append waits while the block runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._readers)
            yield

    def in_use(self) -> frozenset[int]:
        """Give the snapshots somebody reads now."""
        with self._changed:
            return frozenset(self._readers)

    def counts(self) -> tuple[int, int]:
        """Count hot rows, and batches in the lake and out."""
        with self._changed:
            return sum(len(rows) for rows in self._durable.values()), self._known.count + len(self._durable)
