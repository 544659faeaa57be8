"""The cells of a file: CSV of any delimiter, or a sheet of an Excel workbook, each row with its line.

A workbook is a zip file that somebody sent: how much it holds is looked at before it is opened, and its XML is read
without entities. Of a formula the value counts that Excel calculated last; one that never was is told, not guessed.
"""

import codecs
import csv
import io
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import Enum
from pathlib import Path
from typing import Any

from collector.importers.table.layout import Layout
from collector.model.errors import ConfigError, Mistake, PluginError
from collector.text_file import decoded

MOST_BYTES = 256 * 2**20  # of a file, and of what a workbook holds when it is unpacked
_MOST_PARTS = 1000
_DELIMITERS = ";\t,|"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_DAMAGED = (KeyError, ValueError, TypeError, IndexError, SyntaxError, EOFError, OSError, zlib.error, zipfile.BadZipFile)


class Odd(Enum):
    """A cell that holds something else than a value."""

    UNCALCULATED = "a formula without a value"


Cell = str | float | datetime | time | Odd | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row with its number in the file."""

    number: int
    cells: tuple[Cell, ...]

    def text(self, place: int) -> str:
        """Give a cell as text; empty when it is."""
        cell = self.cells[place] if place < len(self.cells) else None
        return "" if cell is None or isinstance(cell, Odd) else str(cell).strip()


def refused(path: Path, what: str, line: int = 1, column: int = 1) -> ConfigError:
    """Make the error of a file that cannot be read at all."""
    return ConfigError([Mistake(file=str(path), line=line, column=column, message=what)])


def lines(path: Path, layout: Layout) -> list[Line]:
    """Read every row. Raises ConfigError, and PluginError when the library for Excel is not installed."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        size = path.stat().st_size
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror}") from None
    if size > MOST_BYTES:
        raise refused(path, f"is larger than {MOST_BYTES // 2**20} MiB: split it")
    if head == _OLD_EXCEL:
        raise refused(path, "is an Excel file of the old kind (.xls) or has a password: save it as .xlsx without one")
    if head[:2] == b"PK":
        return _workbook(path, layout)
    return list(_csv(path, layout))


def _csv(path: Path, layout: Layout) -> Iterator[Line]:
    try:
        text = decoded(path, codecs.lookup(layout.encoding).name if layout.encoding else None)
    except LookupError:
        raise refused(path, "has no such encoding: change encoding in the mapping, as cp1252") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter or _delimiter(text, layout))
    while True:
        begins = reader.line_num + 1
        try:
            yield Line(begins, tuple(next(reader)))
        except StopIteration:
            return
        except csv.Error as error:
            raise refused(path, f"is no CSV from here on ({error}): is a quote not closed?", begins) from None


def _delimiter(text: str, layout: Layout) -> str:
    """Take the one that is most in the line of headings: the first that holds the heading of the time."""
    headings = next((line for line in text.splitlines() if layout.time.columns[0] in line), "")
    found = Counter(mark for mark in headings if mark in _DELIMITERS)
    return max(_DELIMITERS, key=lambda mark: found[mark])


def _workbook(path: Path, layout: Layout) -> list[Line]:
    try:
        import defusedxml  # noqa: F401, PLC0415  openpyxl then reads XML with it: no entities
        import openpyxl  # noqa: PLC0415  only a workbook needs it
    except ModuleNotFoundError as missing:
        raise PluginError(f"an Excel file needs the package {missing.name!r}: install whichlayer[files]") from None
    try:
        _bound(path)
        with warnings.catch_warnings(action="ignore"), path.open("rb") as one, path.open("rb") as other:
            values = openpyxl.load_workbook(one, read_only=True, data_only=True)
            formulas = openpyxl.load_workbook(other, read_only=True)
            return _rows(path, layout, values, formulas)
    except _DAMAGED:
        raise refused(path, "is damaged, or no Excel workbook: open it in Excel and save it again") from None


def _bound(path: Path) -> None:
    """Look at what the parts say they unpack to: more than that is never read of them."""
    with zipfile.ZipFile(path) as parts:
        sizes = [part.file_size for part in parts.infolist()]
    if sum(sizes) > MOST_BYTES or len(sizes) > _MOST_PARTS:
        raise refused(path, f"unpacks to more than {MOST_BYTES // 2**20} MiB or {_MOST_PARTS} parts: split it")


def _rows(path: Path, layout: Layout, values: Any, formulas: Any) -> list[Line]:  # noqa: ANN401  openpyxl's workbooks
    if layout.sheet is not None and layout.sheet not in values.sheetnames:
        raise refused(path, f"has no sheet {layout.sheet!r}: it has {', '.join(values.sheetnames)}")
    name = layout.sheet or values.sheetnames[0]
    sheets = (values[name], formulas[name])
    for sheet in sheets:
        sheet.reset_dimensions()  # what a program wrote as the sheet's size may be wrong
    both = zip(*(sheet.iter_rows(values_only=True) for sheet in sheets), strict=True)
    return [
        Line(number, tuple(_cell(value, formula) for value, formula in zip(*pair, strict=True)))
        for number, pair in enumerate(both, start=1)
    ]


def _cell(value: Any, formula: Any) -> Cell:  # noqa: ANN401  what a cell may hold
    if value is None:
        return None if formula is None else Odd.UNCALCULATED
    if isinstance(value, bool) or not isinstance(value, int | float | datetime | time):
        return str(value)
    return value
