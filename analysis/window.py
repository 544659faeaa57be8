"""All facts of one period, loaded once: what every method works on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import pyarrow as pa

from collector.model.change import Change
from collector.model.estate import Estate
from collector.model.quality import QualityEvent

LATER = {"server_identity", "server_identity_q50"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Facts of ``start <= time < end`` and the history before them, read from one snapshot.

    ``steps`` and ``samples`` have the columns of ``collector.tables.STEPS`` and ``SAMPLES`` and
    reach back to ``history_start`` so that before and during can be compared; ``hourly`` has those
    of ``HOURLY`` and reaches back four weeks. Frames are in key order; methods must not change them.
    ``steps`` has ``spans`` besides where the server's account of any of them comes from spans.
    ``ledger`` is what the snapshot knows to be wrong with the data, from ``history_start`` on.
    Runs whose access changed on the way are in neither: their steps are in ``mixed``. ``estate`` is the map in
    force, which has a digest of its own: ``digest`` is of the tables.
    """

    start: datetime
    end: datetime
    history_start: datetime
    snapshot: int
    steps: pd.DataFrame
    mixed: pd.DataFrame
    samples: pd.DataFrame
    hourly: pd.DataFrame
    changes: Sequence[Change]
    ledger: Sequence[QualityEvent] = ()
    digest: str
    estate: Estate | None = None


def set_apart(steps: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the steps that count, and those of runs whose access changed on the way."""
    mixed = steps["mixed"].to_numpy(dtype=bool)
    if not mixed.any():
        return steps, steps.iloc[:0]
    return steps[~mixed].reset_index(drop=True), steps[mixed].reset_index(drop=True)


def digest(tables: Sequence[pa.Table]) -> str:
    """SHA-256 over the columns of ``tables`` as Arrow IPC: the same facts give the same digest.

    A column that came later (LATER) is left out while nothing is in it, so that facts of before keep their digest.
    Of each column, where its values are missing and then the values: what lies in memory in the
    place of a missing one, and how the rows were cut into chunks, is no fact.
    """
    total = hashlib.sha256()
    for table in tables:
        for name, column in zip(table.column_names, table.itercolumns(), strict=True):
            if name in LATER and column.null_count == len(column):
                continue
            known = column.drop_null()
            parts = [known] if len(known) == len(column) else [column.is_null().cast(pa.uint8()), known]
            for part in parts:
                total.update(_stream(pa.table({name: part})))
    return total.hexdigest()


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()
