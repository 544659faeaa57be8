"""Rows that come as columns from outside: taken when they say what our own words could say, or refused whole."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from collector import tables
from collector.model.access import Link, Presentation
from collector.model.checks import NAME
from collector.model.errors import RejectedBatch
from collector.model.host_event import HostLog
from collector.model.layer import Layer
from collector.model.quality import QualityKind
from collector.model.run import Outcome
from collector.model.session import EndCause, Kept, SessionEventKind

_NAMES = frozenset(
    {"site", "endpoint", "component", "metric", "journey", "environment", "step", "driver", "subject", "host"}
)
_SIGNED = frozenset({"value", "skew_seconds", "amount"})
_CHOICES: Mapping[str, type[StrEnum]] = {
    "layer": Layer,
    "outcome": Outcome,
    "link": Link,
    "presentation": Presentation,
    "kind": SessionEventKind,
    "event_kind": QualityKind,
    "cause": EndCause,
    "log": HostLog,
    "saved_work": Kept,
    "unsaved_work": Kept,
}
_FIRST_YEAR, _LAST_YEAR = 1970, 2200  # outside nothing was measured, and libraries begin to overflow


def fitting(name: str, rows: pa.Table) -> pa.Table:
    """Give ``rows`` with exactly the columns of table ``name``, in their order.

    Columns may come in any order and dictionary-encoded; those that may be null may be left out.
    Raises RejectedBatch naming the column, NotInStore when there is no such table.
    """
    wanted = tables.schema(name)
    for column in rows.column_names:
        if column not in wanted.names or rows.column_names.count(column) > 1:
            raise RejectedBatch(f"table {name} does not take the column, or takes it once", field=column)
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid as error:
        raise RejectedBatch(f"the rows of {name} are not valid Arrow data: {error}") from None
    return pa.Table.from_arrays([_column(name, rows, field) for field in wanted], schema=wanted)


def _column(name: str, rows: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name in rows.column_names:
        values = _cast(rows.column(field.name), field)
    else:
        values = pa.chunked_array([pa.nulls(rows.num_rows, field.type)], type=field.type)
    if values.null_count and field.name in tables.REQUIRED[name]:
        raise RejectedBatch(f"table {name} needs a value in every row", field=field.name)
    _check(field, values.drop_null())
    return values


def _cast(values: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return values.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RejectedBatch(f"must be {field.type}, not {values.type}", field=field.name) from None


def _check(field: pa.Field, values: pa.ChunkedArray) -> None:
    """Refuse values our own words would refuse."""
    for fits, rule, refusal in _RULES:
        if fits(field) and len(values) and not pc.all(rule(field, values)).as_py():
            raise RejectedBatch(refusal, field=field.name)


def _is_finite(_field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_finite(values)


def _is_not_negative(_field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.greater_equal(values, 0)


def _is_in_range(_field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    year = pc.year(values)
    return pc.and_(pc.greater_equal(year, _FIRST_YEAR), pc.less_equal(year, _LAST_YEAR))


def _is_name(_field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.match_substring_regex(pc.unique(values), rf"\A(?:{NAME.pattern})\z")


def _is_choice(field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(pc.unique(values), pa.array([str(choice) for choice in _CHOICES[field.name]]))


def _is_number(field: pa.Field) -> bool:
    return bool(pa.types.is_floating(field.type) or pa.types.is_integer(field.type))


_Rule = tuple[Callable[[pa.Field], bool], Callable[[pa.Field, pa.ChunkedArray], pa.ChunkedArray], str]
_RULES: tuple[_Rule, ...] = (  # for which columns, what must be true of every value, what is said if it is not
    (_is_number, _is_finite, "must hold finite numbers"),
    (lambda field: _is_number(field) and field.name not in _SIGNED, _is_not_negative, "must not be negative"),
    (lambda field: pa.types.is_temporal(field.type), _is_in_range, f"must lie in {_FIRST_YEAR} to {_LAST_YEAR}"),
    (lambda field: field.name in _NAMES, _is_name, "must be lower-case letters, digits, '.', '_' or '-', at most 100"),
    (lambda field: field.name in _CHOICES, _is_choice, "holds a word that is not in the vocabulary"),
)
