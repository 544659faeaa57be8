"""One batch as columns, and as bytes: what lies in a spool record."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector import tables
from collector.model.errors import NotInStore, RejectedBatch
from collector.rows import host_event_table, ledger_table, run_tables, sample_table, session_table
from collector.store import Batch
from collector.stores._columns import fitting

_LENGTH = struct.Struct("<I")
_MANY_ROWS = 1000  # from here on a column's words are written once, if most of them repeat
_REPEATS = 8
_FEW = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A batch as columns: its rows by table name; tables without rows are left out.

    Words may be dictionary-encoded where the table's schema says string: ``_columns.plain`` joins such tables.
    """

    batch_id: str
    sender: str
    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(table.num_rows for table in self.tables.values())


def columns_of(batch: Batch) -> Rows:
    """Turn the words of a batch into columns."""
    found = run_tables(batch.runs, skew_seconds=batch.received_skew_seconds)
    found["samples"] = sample_table(batch.samples)
    found["sessions"] = session_table(batch.sessions)
    found["ledger"] = ledger_table(batch.quality)
    found["host_events"] = host_event_table(batch.host_events)
    kept = {name: rows for name, rows in found.items() if rows.num_rows}
    return Rows(batch_id=batch.batch_id, sender=batch.sender, tables=kept)


def columns(batch_id: str, sender: str, name: str, rows: pa.Table) -> Rows:
    """Take rows that are columns already. Raises RejectedBatch when they do not fit table ``name``."""
    taken = fitting(name, rows)
    return Rows(batch_id=batch_id, sender=sender, tables={name: taken} if taken.num_rows else {})


def encode(rows: Rows) -> bytes:
    """Write a batch: the length of a JSON header, the header, then one Arrow IPC stream per table."""
    streams = {name: to_ipc(_compact(table)) for name, table in rows.tables.items()}
    header = {
        "batch_id": rows.batch_id,
        "sender": rows.sender,
        "tables": {name: len(stream) for name, stream in streams.items()},
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *streams.values()))


def decode(payload: bytes) -> Rows:
    """Read what ``encode`` wrote, also by an earlier version that knew fewer columns. Raises RejectedBatch.

    Values are taken as they are: they were checked before they were acknowledged.
    """
    try:
        (length,) = _LENGTH.unpack_from(payload)
        start = _LENGTH.size + length
        header = json.loads(payload[_LENGTH.size : start])
        found = {}
        for name, size in header["tables"].items():
            found[name] = _completed(tables.schema(name), from_ipc(payload[start : start + size]))
            start += size
        return Rows(batch_id=header["batch_id"], sender=header["sender"], tables=found)
    except (struct.error, ValueError, KeyError, TypeError, NotInStore) as error:
        raise RejectedBatch("this is not a batch of Arrow streams") from error


def _compact(table: pa.Table) -> pa.Table:
    """Write each word once and empty columns never: a large batch takes a part of the spool, and of its sync."""
    if table.num_rows < _MANY_ROWS:
        return table
    table = table.select([name for name in table.column_names if table.column(name).null_count < table.num_rows])
    for place, column in enumerate(table.schema):
        if pa.types.is_string(column.type) and _seem_to_repeat(table.column(place)):
            words = table.column(place).combine_chunks().dictionary_encode()
            if len(words.dictionary) * _REPEATS <= table.num_rows:
                table = table.set_column(place, column.name, words)
    return table


def _seem_to_repeat(words: pa.ChunkedArray) -> bool:
    """Look at a few, from all over: to find out of all of them costs as much as to write them once."""
    few = words.take(np.arange(0, len(words), len(words) // _FEW))
    return int(pc.count_distinct(few).as_py()) * 2 <= len(few)


def _completed(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    for name in set(schema.names) - set(rows.column_names):
        rows = rows.append_column(name, pa.nulls(rows.num_rows))
    return rows.select(schema.names).cast(schema)


def to_ipc(table: pa.Table) -> bytes:
    """Write a table as one Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def from_ipc(stream: bytes) -> pa.Table:
    """Read one Arrow IPC stream. Raises RejectedBatch when it is none."""
    try:
        return pa.ipc.open_stream(stream).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise RejectedBatch(f"the body is not an Arrow IPC stream: {error}") from None
