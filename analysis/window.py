"""All facts of one period, loaded once: what every method works on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import pyarrow as pa

from collector.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Facts of ``start <= time < end`` and the history before them, read from one snapshot.

    ``steps`` and ``samples`` have the columns of ``collector.tables.STEPS`` and ``SAMPLES`` and
    reach back to ``history_start`` so that before and during can be compared; ``hourly`` has those
    of ``HOURLY`` and reaches back four weeks. Frames are in key order; methods must not change them.
    """

    start: datetime
    end: datetime
    history_start: datetime
    snapshot: int
    steps: pd.DataFrame
    samples: pd.DataFrame
    hourly: pd.DataFrame
    changes: Sequence[Change]
    digest: str


def digest(tables: Sequence[pa.Table]) -> str:
    """SHA-256 over the columns of ``tables`` as Arrow IPC: the same facts give the same digest."""
    total = hashlib.sha256()
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        total.update(sink.getvalue())
    return total.hexdigest()
