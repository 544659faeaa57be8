"""Rows that come as columns from outside: taken when they say what our own words could say, or refused whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

import numpy as np
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
_EARLIEST, _TOO_LATE = (np.datetime64(f"{year}-01-01", "us").astype(np.int64) for year in (_FIRST_YEAR, _LAST_YEAR + 1))
_WORDS = pa.dictionary(pa.int32(), pa.string())  # words that repeat, each written once
_MOST_WORDS = 200  # of a dictionary that is looked at word by word


def fitting(name: str, rows: pa.Table) -> pa.Table:
    """Give ``rows`` with exactly the columns of table ``name``, in their order.

    Columns may come in any order; those that may be null may be left out. Words that come dictionary-encoded stay so.
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
    given = dict(zip(rows.column_names, rows.columns, strict=True))
    return pa.Table.from_arrays([_taken(rule, given, rows.num_rows) for rule in _rules(name)], names=wanted.names)


def plain(schema: pa.Schema, parts: Iterable[pa.Table]) -> pa.Table:
    """Join tables whose words may be written in different ways into one of exactly this schema."""
    alike: dict[pa.Schema, list[pa.Table]] = {}
    for part in parts:
        alike.setdefault(part.schema, []).append(part)
    joined = [pa.concat_tables(same).cast(schema) for same in alike.values()]
    return pa.concat_tables(joined) if joined else schema.empty_table()


def _taken(rule: "_Rule", given: Mapping[str, pa.ChunkedArray], count: int) -> pa.ChunkedArray:
    field = rule.field
    if field.name in given:
        values = _cast(given[field.name], field)
    else:
        values = pa.chunked_array([pa.nulls(count, field.type)], type=field.type)
    if rule.required and values.null_count:
        raise RejectedBatch("there must be a value in every row", field=field.name)
    for is_good, refusal in rule.checks if len(values) else ():
        if not is_good(field, values):
            raise RejectedBatch(refusal, field=field.name)
    return values


def _cast(values: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    if values.type == field.type:
        return values
    if values.type == _WORDS and pa.types.is_string(field.type) and not _hides_nulls(values):
        return values
    try:
        return values.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RejectedBatch(f"must be {field.type}, not {values.type}", field=field.name) from None


def _hides_nulls(values: pa.ChunkedArray) -> bool:
    """Say whether a word of a dictionary is null: places that name it are null, and not counted as such."""
    return any(chunk.dictionary.null_count for chunk in values.chunks)


def _is_finite(_field: pa.Field, values: pa.ChunkedArray) -> bool:
    return all(np.isfinite(chunk).all() for chunk in _numbers(values))


def _is_not_negative(_field: pa.Field, values: pa.ChunkedArray) -> bool:
    return all((chunk >= 0).all() for chunk in _numbers(values))


def _is_in_range(_field: pa.Field, values: pa.ChunkedArray) -> bool:
    found = (chunk.astype("datetime64[us]").astype(np.int64) for chunk in _numbers(values))
    return all(((chunk >= _EARLIEST) & (chunk < _TOO_LATE)).all() for chunk in found)


def _numbers(values: pa.ChunkedArray) -> Iterator[np.ndarray]:
    for chunk in (values.drop_null() if values.null_count else values).chunks:
        if len(chunk):
            yield chunk.to_numpy(zero_copy_only=False)


def _is_name(_field: pa.Field, values: pa.ChunkedArray) -> bool:
    return _are_words(values, _is_one_name)


def _is_choice(field: pa.Field, values: pa.ChunkedArray) -> bool:
    return _are_words(values, _choices(field.name).__contains__)


def _are_words(values: pa.ChunkedArray, good: Callable[[str], bool]) -> bool:
    """Look at the dictionaries first: they are short, and only what no row uses may be wrong in them."""
    short = values.type == _WORDS and sum(len(chunk.dictionary) for chunk in values.chunks) <= _MOST_WORDS
    if short and all(good(word) for chunk in values.chunks for word in chunk.dictionary.to_pylist()):
        return True
    return all(good(word) for word in pc.unique(values.cast(pa.string())).drop_null().to_pylist())


@lru_cache(maxsize=100_000)
def _is_one_name(word: str) -> bool:
    return NAME.fullmatch(word) is not None


@cache
def _choices(name: str) -> frozenset[str]:
    return frozenset(map(str, _CHOICES[name]))


def _is_number(field: pa.Field) -> bool:
    return bool(pa.types.is_floating(field.type) or pa.types.is_integer(field.type))


_Check = Callable[[pa.Field, pa.ChunkedArray], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What must be true of a column: of every value, and what is said when it is not."""

    field: pa.Field
    required: bool
    checks: tuple[tuple[_Check, str], ...]


@cache
def _rules(name: str) -> tuple[_Rule, ...]:
    """Give the rules of table ``name``, one per column, in their order."""
    return tuple(
        _Rule(
            field=field,
            required=field.name in tables.REQUIRED[name],
            checks=tuple((check, refusal) for fits, check, refusal in _CHECKS if fits(field)),
        )
        for field in tables.schema(name)
    )


_CHECKS: tuple[tuple[Callable[[pa.Field], bool], _Check, str], ...] = (
    (_is_number, _is_finite, "must hold finite numbers"),
    (lambda field: _is_number(field) and field.name not in _SIGNED, _is_not_negative, "must not be negative"),
    (lambda field: pa.types.is_temporal(field.type), _is_in_range, f"must lie in {_FIRST_YEAR} to {_LAST_YEAR}"),
    (lambda field: field.name in _NAMES, _is_name, "must be lower-case letters, digits, '.', '_' or '-', at most 100"),
    (lambda field: field.name in _CHOICES, _is_choice, "holds a word that is not in the vocabulary"),
)
