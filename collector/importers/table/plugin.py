"""Tables as CSV or Excel, with a mapping that says what their columns are (``docs/collector.md``).

The headings are the first row that holds the heading of the time: titles above it, merged or not, are not read. A
blank is no sample, never 0. Of Excel, dates count as they are and formulas as they were calculated last.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from collector import document
from collector.importer import Asked, Imported
from collector.importers.table.clock import Clock
from collector.importers.table.layout import Layout, Measure
from collector.importers.table.sheet import Cell, Line, Odd, lines, refused
from collector.model.catalogue import CATALOGUE
from collector.model.checks import as_name
from collector.model.errors import ConfigError, Mistake
from collector.model.facts import Facts
from collector.model.sample import Sample

_MOST_MISTAKES = 20
_SHOWN = 3  # rows of a preview


class _Table:
    def knows(self, name: str, head: bytes) -> bool:
        """Take workbooks, and CSV that is not Windows' own."""
        lower, text = name.lower(), head.replace(b"\0", b"")
        windows = b"(PDH-CSV" in text or (b"ProviderName" in text and b"TimeCreated" in text)
        return lower.endswith(".xlsx") or (lower.endswith((".csv", ".tsv")) and not windows)

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole table; ``asked.mapping`` is the path of its layout. Raises ConfigError, PluginError."""
        if asked.mapping is None:
            raise refused(path, "is a table, and what its columns are is not said: give --map with a mapping file")
        layout = document.read(Path(asked.mapping), Layout)
        rows = lines(path, layout)
        begin = next((place for place, row in enumerate(rows) if _holds(row, layout.time.columns[0])), None)
        if begin is None:
            raise refused(path, f"has no heading {layout.time.columns[0]!r} in any row: is time.columns right?")
        table = _Reading(path=path, layout=layout, asked=asked, headings=_headings(path, rows[begin], layout))
        samples = tuple(table.samples(rows[begin + 1 :]))
        if table.mistakes:
            raise ConfigError(table.mistakes[:_MOST_MISTAKES])
        return Imported(
            facts=Facts(samples=samples),
            warnings=table.clock.warnings(),
            unused=table.unused(),
            units={one.metric: one.unit for one in layout.metrics},
            preview=[[row.text(place) for place in range(len(row.cells))] for row in rows[begin : begin + 1 + _SHOWN]],
        )


PLUGIN = _Table()


def _holds(row: Line, heading: str) -> bool:
    return any(row.text(place) == heading for place in range(len(row.cells)))


def _headings(path: Path, row: Line, layout: Layout) -> dict[str, int]:
    """Give the place of each heading. Raises ConfigError when one that is needed is absent, or there twice."""
    names = [row.text(place) for place in range(len(row.cells))]
    mistakes = []
    for name in layout.needs():
        if names.count(name) != 1:
            what = f"there is more than one column {name!r}" if name in names else f"there is no column {name!r}"
            message = f"{what}: headings are {', '.join(filter(None, names))}"
            mistakes.append(Mistake(file=str(path), line=row.number, column=1, message=message))
    if mistakes:
        raise ConfigError(mistakes[:_MOST_MISTAKES])
    return {name: place for place, name in enumerate(names) if name}


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One file on its way to samples."""

    path: Path
    layout: Layout
    asked: Asked
    headings: Mapping[str, int]
    mistakes: list[Mistake] = field(default_factory=list)
    clock: Clock = field(init=False)
    _above: str = field(default="", init=False)
    _unmapped: dict[str, None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        zone = self.layout.time.zone
        self.clock = Clock(self.layout.time, ZoneInfo(zone) if zone else self.asked.zone)

    def unused(self) -> list[str]:
        """Name what no row of the mapping speaks of."""
        used = set(self.layout.needs())
        return [name for name in self.headings if name not in used] + list(self._unmapped)

    def samples(self, rows: Sequence[Line]) -> Iterator[Sample]:
        """Give what the rows say; mistakes are kept beside."""
        for row in rows:
            if len(self.mistakes) >= _MOST_MISTAKES:
                return
            if any(row.text(place) for place in range(len(row.cells))) and not self._is_total(row):
                yield from self._row(row)

    def _is_total(self, row: Line) -> bool:
        first = next(filter(None, (row.text(place) for place in range(len(row.cells)))), "")
        return first.startswith(self.layout.totals) if self.layout.totals else False

    def _row(self, row: Line) -> Iterator[Sample]:
        places = [self.headings[name] for name in self.layout.time.columns]
        try:
            at = self.clock.at([_cell(row, place) for place in places])
        except ValueError as error:
            self._wrong(row, places[0], str(error))
            return
        named = self._component(row)
        for measure, place in self._measures(row):
            try:
                value = _number(_cell(row, place), measure, self.layout)
            except ValueError as error:
                self._wrong(row, place, str(error))
                continue
            component = as_name(measure.component or named)
            if value is not None and not component:
                self._wrong(row, place, "is of nothing: name it by component in the mapping (merged cells: fill_down)")
            elif value is not None:
                yield Sample(
                    site=self.asked.site,
                    component=component,
                    layer=self.layout.layer or CATALOGUE[measure.metric].layer,
                    metric=measure.metric,
                    at=at,
                    value=value * measure.factor,
                    period_seconds=self.layout.period,
                    labels={"product": self.layout.product},
                )

    def _component(self, row: Line) -> str:
        of = self.layout.component
        if of is None or of.column is None:
            return (of and of.constant) or self.asked.component or ""
        found = row.text(self.headings[of.column]) or (self._above if of.fill_down else "")
        self._above = found
        return found

    def _measures(self, row: Line) -> Iterator[tuple[Measure, int]]:
        long = self.layout.long
        if long is None:
            yield from ((one, self.headings[one.name]) for one in self.layout.metrics)
            return
        name = row.text(self.headings[long.name])
        found = [one for one in self.layout.metrics if one.name == name]
        if not found:
            self._unmapped[name] = None
        yield from ((one, self.headings[long.value]) for one in found)

    def _wrong(self, row: Line, place: int, what: str) -> None:
        self.mistakes.append(Mistake(file=str(self.path), line=row.number, column=place + 1, message=what))


def _cell(row: Line, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else None


def _number(cell: Cell, measure: Measure, layout: Layout) -> float | None:
    """Give a cell's number, None for a blank. Raises ValueError that says what is wrong."""
    if cell is Odd.UNCALCULATED:
        raise ValueError("is a formula that Excel has not calculated: open and save it there")
    if isinstance(cell, int | float) and math.isfinite(cell):
        return float(cell)
    text = str(cell).strip().replace("\u00a0", " ") if isinstance(cell, str) or cell is None else "a date"
    if cell is None or not text or text in layout.blank:
        return None
    text = text.removesuffix(measure.unit).rstrip()
    if not layout.number.fullmatch(text):
        comma = "," in text and layout.decimal == "."
        hint = (
            "if the comma is its decimal mark, write decimal: ','" if comma else "if it means no value, add it to blank"
        )
        raise ValueError(f"is no number: {hint} in the mapping")
    return float(text.replace(layout.thousands or "", "").replace(layout.decimal, "."))
