"""Writes facts, changes and verdicts into a folder of plain files that needs no whichlayer to be read.

One snapshot is read for all tables, hour by hour where there is much, so that memory stays bounded however long the
period is. Everything goes into ``FOLDER.partial``, which gets its name at the end or is removed.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from collector import tables
from collector.model.errors import StoreError, WhichlayerError
from collector.registry import Registry
from collector.store import Slice, Store
from whichlayer import export_page
from whichlayer.export_records import RECORDS, lines

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)  # all that a store takes
PARTS = (*tables.TABLES, *RECORDS)
_ROWS_AT_ONCE = 500_000  # about 100 MB of samples
_HOUR = timedelta(hours=1)
_FORMULA = r"\A(['=+\-@\t\r\n])"  # what a spreadsheet takes for a formula; ' itself too, so that it can be undone
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"  # %S has microseconds
Tell = Callable[[str, int], None]  # what is being written, and how many rows more are


class Format(StrEnum):
    """How the tables are written."""

    PARQUET = "parquet"
    CSV = "csv"


class Split(StrEnum):
    """What one file holds."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to write: ``parts`` of PARTS, facts of ``start <= time < end``, of all sites when none is named."""

    parts: Sequence[str] = PARTS
    start: datetime = EARLIEST
    end: datetime = LATEST
    sites: Sequence[str] = ()
    format: Format = Format.PARQUET
    split: Split = Split.MONTH

    @property
    def slice(self) -> Slice:
        """Give the part the store is asked with."""
        return Slice(start=self.start, end=self.end, where={"site": self.sites} if self.sites else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One table, or one kind of record: how many rows, in which files below the folder."""

    rows: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written; ``snapshot`` is the version of the facts, which stays readable in the store."""

    snapshot: int
    wanted: Wanted
    at: datetime
    parts: Mapping[str, Written] = field(default_factory=dict)


def write(store: Store, registry: Registry, folder: Path, wanted: Wanted, *, now: datetime, tell: Tell) -> Exported:
    """Fill the new or empty ``folder``. Raises WhichlayerError, and leaves nothing behind then.

    Facts are those of one snapshot, which is pinned; changes and verdicts are read right after.
    """
    with _finished(folder) as fresh:
        snapshot = store.flush()
        store.pin(snapshot)  # a long export outlasts a snapshot that nobody named
        done: dict[str, Written] = {}
        for part in wanted.parts:
            if part in tables.TABLES:
                done[part] = _table(store, part, wanted, snapshot, fresh, tell)
            else:
                done[part] = _records(registry, part, wanted, fresh, tell)
        exported = Exported(snapshot=snapshot, wanted=wanted, at=now, parts=done)
        export_page.write(fresh, exported)
    return exported


@contextmanager
def _finished(folder: Path) -> Iterator[Path]:
    """Give a folder that is renamed to ``folder`` when the block is done, and removed when it is not."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WhichlayerError(f"{folder} exists and is not an empty folder: give a new one")
    fresh = folder.with_name(f"{folder.name}.partial")
    try:
        fresh.mkdir()
    except FileExistsError:
        raise WhichlayerError(
            f"{fresh} exists: another export is writing it, or one was killed; remove it if none runs"
        ) from None
    except OSError as error:
        raise WhichlayerError(f"{fresh} cannot be made: {error.strerror}") from None
    try:
        yield fresh
        if folder.exists():
            folder.rmdir()  # empty; Windows does not rename over it
        fresh.rename(folder)
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, OSError):
            raise WhichlayerError(f"the export could not be written: {error.strerror or error}") from error
        raise


def _table(store: Store, name: str, wanted: Wanted, snapshot: int, folder: Path, tell: Tell) -> Written:
    pattern = "%Y-%m" if wanted.split is Split.MONTH else "%Y-%m-%d"
    counted = [(row["hour"], row["rows"]) for row in store.counts(name, wanted.slice, snapshot=snapshot).to_pylist()]
    files, total = [], 0
    for period, hours in groupby(counted, key=lambda one: one[0].strftime(pattern)):
        path = folder / name / f"{name}-{period}.{wanted.format}"
        path.parent.mkdir(exist_ok=True)
        with _WRITERS[wanted.format](path, tables.schema(name)) as put:
            for some, expected in _slices(list(hours), wanted.slice):
                rows = store.scan(name, some, snapshot=snapshot)
                if rows.num_rows != expected:
                    raise StoreError(f"{name} of {period} has {expected} rows and {rows.num_rows} were read")
                put(rows)
                tell(f"{name} {period}", rows.num_rows)
                total += rows.num_rows
        files.append(path.relative_to(folder).as_posix())
    return Written(rows=total, files=tuple(files))


def _slices(hours: Sequence[tuple[datetime, int]], rows: Slice) -> Iterator[tuple[Slice, int]]:
    """Join hours, counted and in order, as long as their rows fit into memory."""
    first = 0
    for last, (hour, _) in enumerate(hours):
        many = sum(count for _, count in hours[first : last + 1])
        if last + 1 < len(hours) and many + hours[last + 1][1] <= _ROWS_AT_ONCE:
            continue
        start, end = hours[first][0].replace(tzinfo=UTC), hour.replace(tzinfo=UTC) + _HOUR
        yield replace(rows, start=max(start, rows.start), end=min(end, rows.end)), many
        first = last + 1


def _records(registry: Registry, part: str, wanted: Wanted, folder: Path, tell: Tell) -> Written:
    path, count = folder / f"{part}.jsonl", 0
    with path.open("wb") as file:
        for line in lines(registry, part, wanted.start, wanted.end, wanted.sites):
            file.write(line + b"\n")
            count += 1
    if not count:
        path.unlink()
        return Written()
    tell(part, count)
    return Written(rows=count, files=(path.name,))


def with_zone(schema: pa.Schema) -> pa.Schema:
    """Give the schema of a Parquet file: as the store's, and its times say that they are UTC."""
    zoned = pa.timestamp("us", tz="UTC")
    return pa.schema([one.with_type(zoned) if pa.types.is_timestamp(one.type) else one for one in schema])


def as_text(rows: pa.Table) -> pa.Table:
    """Give rows for a CSV file: times in ISO 8601 with Z, and no text that a spreadsheet takes for a formula."""
    for place, column in enumerate(rows.schema):
        values = rows.column(place)
        if pa.types.is_timestamp(column.type):
            rows = rows.set_column(place, column.name, pc.strftime(values, _INSTANT))
        elif pa.types.is_string(column.type):
            guarded = pc.replace_substring_regex(values, _FORMULA, r"'\1")
            rows = rows.set_column(place, column.name, guarded)
    return rows


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    zoned = with_zone(schema)
    with parquet.ParquetWriter(path, zoned, compression="zstd") as writer:
        yield lambda rows: writer.write_table(rows.cast(zoned))


@contextmanager
def _csv(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    with csv.CSVWriter(path, as_text(schema.empty_table()).schema) as writer:
        yield lambda rows: writer.write_table(as_text(rows))


_Writer = Callable[[Path, pa.Schema], AbstractContextManager[Callable[[pa.Table], None]]]
_WRITERS: Mapping[Format, _Writer] = {Format.PARQUET: _parquet, Format.CSV: _csv}
