"""A step's server parts from the spans of the servers it asked, for steps whose answers gave no account themselves.

``Server-Timing`` wins where a step has both: it comes with the answer, so it is never late, sampled out or partial,
and runs of one step stay comparable. A step is divided by spans once the span that took its own request is there.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collector.model.run import Phase

SPANS = "spans"  # true where the parts of a step come from spans; the column is there when any do
ACCOUNT = tuple(str(p) for p in (Phase.SERVER_APP, Phase.SERVER_DB, Phase.SERVER_STORAGE, Phase.SERVER_EXTERNAL))
NEEDED = ("run_id", "position", "nested", "whole", "database", "storage", "external")
_POSITIONS = 256
_Numbers = NDArray[np.float64]


def with_spans(steps: pa.Table, parts: pa.Table) -> pa.Table:
    """Fill the ``server_*`` columns of ``steps`` from rows of ``server_parts``; nothing else changes, nor the order.

    A step's parts are held to its ``processing``, or to its duration where that was not measured: the server works
    on while the answer travels, and requests of a page run beside each other.
    """
    runs = pc.unique(parts.column("run_id"))
    wanted = _keys(steps, runs)
    if not (wanted >= 0).any():
        return steps
    keys, divided = _divided(_keys(parts, runs), parts)
    place = np.searchsorted(keys, wanted)
    place[place == len(keys)] = 0
    found = (keys[place] == wanted) & np.isfinite(divided[0][place])
    for name in ACCOUNT:
        found &= steps.column(name).is_null().to_numpy()
    limit = pc.coalesce(steps.column("processing"), steps.column("seconds")).to_numpy()
    found &= np.isfinite(limit)
    if not found.any():
        return steps
    return _filled(steps, found, divided[:, place], limit)


def _keys(rows: pa.Table, runs: pa.Array) -> NDArray[np.int64]:
    """Number each row's step; -1 for runs no span was heard of."""
    run = pc.fill_null(pc.index_in(rows.column("run_id"), value_set=runs), -1).to_numpy().astype(np.int64)
    position = rows.column("position").to_numpy().astype(np.int64)
    return np.where((run >= 0) & (position < _POSITIONS), run * _POSITIONS + position, -1)


def _divided(keys: NDArray[np.int64], parts: pa.Table) -> tuple[NDArray[np.int64], _Numbers]:
    """Add up the rows of each step: its number, and seconds of app, database, storage, external (NaN: not known).

    What a called service was busy with comes out of its callers' waiting for others, and out of their own time where
    they did not say that they waited. Calls beside each other are scaled to the time there was.
    """
    steps, group = np.unique(keys, return_inverse=True)
    nested = parts.column("nested").to_numpy()
    given = parts.column("whole").to_numpy()
    taken = np.vstack([np.nan_to_num(given), *(parts.column(name).to_numpy() for name in NEEDED[4:])])

    def total(rows: NDArray[np.bool_]) -> _Numbers:
        return np.vstack([np.bincount(group, weights=np.where(rows, row, 0.0)) for row in taken])

    whole, database, storage, external = total(~nested)
    inner, inner_database, inner_storage, inner_external = total(nested)
    own = np.maximum(0.0, whole - database - storage - external)
    need = np.maximum(0.0, inner - inner_external)
    share = np.minimum(1.0, (external + own) / np.where(need > 0, need, np.inf), where=need > 0, out=np.ones_like(need))
    left = external - share * need
    inner_own = np.maximum(0.0, inner - inner_database - inner_storage - inner_external)
    found = np.vstack(
        [
            np.maximum(0.0, own + np.minimum(0.0, left)) + share * inner_own,
            database + share * inner_database,
            storage + share * inner_storage,
            np.maximum(0.0, left),
        ]
    )
    sums = found.sum(axis=0)
    found *= np.minimum(1.0, np.divide(whole, sums, where=sums > 0, out=np.ones_like(sums)))
    complete = np.bincount(group, weights=~nested & np.isfinite(given)) > 0
    return steps, np.where(complete, found, np.nan)


def _filled(steps: pa.Table, found: NDArray[np.bool_], divided: _Numbers, limit: _Numbers) -> pa.Table:
    sums = divided.sum(axis=0)
    over = found & (sums > limit)
    scale = np.divide(limit, sums, where=over, out=np.ones_like(limit))
    for name, seconds in zip(ACCOUNT, divided * scale, strict=True):
        known = found & ((seconds > 0) | (name == ACCOUNT[0]))  # what no span was about is absent, not 0
        old = steps.column(name)
        filled = pc.if_else(pa.array(known), pa.array(np.where(known, seconds, 0.0)), old)
        steps = steps.set_column(steps.schema.get_field_index(name), steps.schema.field(name), filled)
    return steps.append_column(SPANS, pa.array(found))
