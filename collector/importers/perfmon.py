"""Windows performance logs as CSV, from ``relog -f CSV``, ``typeperf`` or a data collector set.

The first column's heading says how many minutes have to be added to its local times for UTC, once for the whole file:
across a change of the clocks that is wrong for a part of it, and a warning says so. ``typeperf`` writes no zone.
Counter names are those of the mapping (``perfmon``, in English, unless told); an empty value is no sample.
"""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from collector.importer import Asked, Imported
from collector.mapping import MetricMapping, Row, load
from collector.model.checks import as_name
from collector.model.errors import ConfigError, Mistake
from collector.model.facts import Facts
from collector.model.sample import Sample
from collector.text_file import decoded

_HEADING = re.compile(r"\(PDH-CSV 4\.0\)(?: \((?P<zone>.*)\)\((?P<minutes>-?\d+)\))?")
_COUNTER = re.compile(r"\\\\(?P<host>[^\\]+)\\(?P<object>[^\\(]+)(?:\((?P<instance>.*)\))?\\(?P<counter>.+)")
_TIME = "%m/%d/%Y %H:%M:%S.%f"
_MOST_MISTAKES = 20
_LAST_WORDS = 3  # rows: "Exiting, please wait..." and what it wraps to


class _Perfmon:
    def knows(self, name: str, head: bytes) -> bool:  # noqa: ARG002  its first heading says it, whatever its name
        """Take what begins as Windows' own CSV does, in UTF-16 too."""
        return b"(PDH-CSV" in head.replace(b"\0", b"")[:32]

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole file; ``asked.zone`` is for one that does not say its own. Raises ConfigError."""
        (mapping,) = load([asked.mapping or "perfmon"], Path())
        rows = list(csv.reader(decoded(path).splitlines()))
        if not rows or not rows[0] or not (heading := _HEADING.fullmatch(rows[0][0])):
            raise _refused(path, 1, 1, "is no performance log: its first heading is not (PDH-CSV 4.0)")
        zone = _zone(path, heading, asked)
        columns = [_column(name, mapping, asked) for name in rows[0][1:]]
        times = _times(path, rows, zone)
        facts = Facts(samples=tuple(_samples(path, rows, times, columns, asked.site)))
        unused = [name for name, column in zip(rows[0][1:], columns, strict=True) if column is None]
        return Imported(facts=facts, warnings=_warnings(heading["zone"], times), unused=unused)


PLUGIN = _Perfmon()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    mapping: MetricMapping
    row: Row
    component: str


def _zone(path: Path, heading: re.Match[str], asked: Asked) -> tzinfo:
    if heading["minutes"] is not None:
        return timezone(timedelta(minutes=-int(heading["minutes"])))
    if asked.zone is None:
        raise _refused(path, 1, 1, "does not say its time zone: give --zone, for example Europe/London")
    return asked.zone


def _column(name: str, mapping: MetricMapping, asked: Asked) -> _Column | None:
    found = _COUNTER.fullmatch(name)
    if found is None:
        return None
    instance = found["instance"]
    exact = f"\\{found['object']}{'' if instance is None else f'({instance})'}\\{found['counter']}"
    any_instance = f"\\{found['object']}(*)\\{found['counter']}"
    for row in mapping.rows:
        if row.name == exact or (row.name == any_instance and instance not in {None, "_Total"}):
            labels = {"host": found["host"], "instance": instance or ""}
            component = as_name(mapping.component_of(row, labels)) or asked.component or as_name(found["host"])
            return _Column(mapping=mapping, row=row, component=component)
    return None


def _times(path: Path, rows: Sequence[Sequence[str]], zone: tzinfo) -> dict[int, datetime]:
    """Give the time of each row, by its number in the file. At the end there may be words of the program's."""
    found, mistakes = {}, []
    for number, row in enumerate(rows[1:], start=1):
        if not row or (number >= len(rows) - _LAST_WORDS and not row[0][:1].isdigit()):
            continue
        try:
            found[number] = datetime.strptime(row[0], _TIME).replace(tzinfo=zone).astimezone(UTC)
            what = None if len(row) == len(rows[0]) else f"has {len(row)} columns, the headings are {len(rows[0])}"
        except ValueError:
            what = "is no time: month/day/year hour:minute:second"
        if what:
            mistakes.append(Mistake(file=str(path), line=number + 1, column=1, message=what))
    if mistakes:
        raise ConfigError(mistakes[:_MOST_MISTAKES])
    return found


def _samples(
    path: Path, rows: Sequence[Sequence[str]], times: dict[int, datetime], columns: Sequence[_Column | None], site: str
) -> Iterator[Sample]:
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times.values())]
    period = median(gaps) if gaps and median(gaps) > 0 else None
    mistakes = []
    for number, at in times.items():
        for place, (text, column) in enumerate(zip(rows[number][1:], columns, strict=True), start=2):
            if column is None or not text.strip():
                continue
            try:
                value = float(text) * column.row.factor
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                mistakes.append(Mistake(file=str(path), line=number + 1, column=place, message="is no number"))
                continue
            yield Sample(
                site=site,
                component=column.component,
                layer=column.mapping.layer_of(column.row),
                metric=column.row.metric,
                at=at,
                value=1.0 - value if column.row.one_minus else value,
                period_seconds=period,
                labels={"product": column.mapping.product},
            )
    if mistakes:
        raise ConfigError(mistakes[:_MOST_MISTAKES])


def _warnings(windows_zone: str | None, times: dict[int, datetime]) -> list[str]:
    at = list(times.values())
    found = []
    if any(later < earlier for earlier, later in pairwise(at)):
        found.append("its times go back: the clock was set, or clocks changed; samples there may be an hour off")
    name = win_tz.get(windows_zone or "")
    if at and name and _offset(name, at[0]) != _offset(name, at[-1]):
        found.append(
            f"the clocks of {windows_zone} changed within it, and it says its offset once: a part is an hour off"
        )
    return found


def _offset(name: str, at: datetime) -> timedelta | None:
    return at.astimezone(ZoneInfo(name)).utcoffset()


def _refused(path: Path, line: int, column: int, what: str) -> ConfigError:
    return ConfigError([Mistake(file=str(path), line=line, column=column, message=what)])
