"""Entries of a Windows event log as they stand in a file: XML of wevtutil, or CSV as Export-Csv writes it.

``fields`` has what entries of the kinds that are looked for say: user, session, source, reason, program. In CSV they
are read from the entry's text by the place of numbers and names: its words are in the language of the machine.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from collector.importers._xml import Node, refused, tree_of
from collector.model.errors import ConfigError, Mistake

_MOST_MISTAKES = 20
_TEXTS = frozenset({"EventID", "Computer", "Data", "User", "SessionID", "Session", "TargetSession", "Source", "Reason"})
_FIELDS = {  # as the file calls it: as it is called here
    "User": "user", "SessionID": "session", "Session": "session", "TargetSession": "session", "Source": "source",
    "Reason": "reason", "param7": "user", "AppName": "program",
}  # fmt: skip
_PROGRAMS = frozenset({1000, 1002})
_NEEDED = ("Id", "ProviderName", "MachineName", "TimeCreated")
_LOCAL = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*([AaPp])?\.?[Mm]?\.?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; ``provider`` in small letters, ``at`` in UTC, ``line`` where it begins."""

    provider: str
    number: int
    host: str
    at: datetime
    line: int
    fields: Mapping[str, str]


def xml_entries(path: Path, text: str) -> list[Entry]:
    """Read events, with or without an element around them. Raises ConfigError."""
    found, mistakes = [], []
    for event in _events(tree_of(path, text, _TEXTS)):
        try:
            found.append(_of_node(event))
        except ValueError as error:
            mistakes.append(Mistake(file=str(path), line=event.line, column=1, message=str(error)))
    if mistakes:
        raise ConfigError(mistakes[:_MOST_MISTAKES])
    return found


def _events(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.name == "Event":
            yield child
        elif child.name == "Events":
            yield from _events(child)


def _of_node(event: Node) -> Entry:
    system = event.first("System")
    if system is None:
        raise ValueError("is an event without System: is it one of Windows?")
    number, provider, computer, created = (
        system.first(name) for name in ("EventID", "Provider", "Computer", "TimeCreated")
    )
    if number is None or not number.text.strip().isdecimal() or provider is None:
        raise ValueError("is an event without EventID or Provider")
    written = created.attributes.get("SystemTime", "") if created else ""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError("is an event without a time: TimeCreated has no SystemTime") from None
    return Entry(
        provider=provider.attributes.get("Name", "").lower(),
        number=int(number.text),
        host=computer.text.strip() if computer else "",
        at=(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC),
        line=event.line,
        fields=_fields(event, int(number.text)),
    )


def _fields(event: Node, number: int) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in event.every("UserData", "EventData"):
        inner = part.first("EventXML") or part
        data = list(inner.every("Data"))
        said |= {_FIELDS[child.name]: child.text.strip() for child in inner.children if child.name in _FIELDS}
        said |= {_FIELDS[name]: one.text.strip() for one in data if (name := one.attributes.get("Name", "")) in _FIELDS}
        if number in _PROGRAMS and data:
            said.setdefault("program", data[0].text.strip())
    return said


def csv_entries(path: Path, text: str, zone: tzinfo | None) -> list[Entry]:
    """Read rows under their headings. Raises ConfigError, also when days and months cannot be told apart."""
    lines = text.splitlines(keepends=True)
    begin = 1 if lines and lines[0].startswith("#TYPE") else 0
    heading = lines[begin] if len(lines) > begin else ""
    reader = csv.reader(lines[begin:], delimiter=";" if heading.count(";") > heading.count(",") else ",")
    names = next(reader, [])
    if not set(_NEEDED) <= set(names):
        raise refused(path, f"is no event log: it has no columns {', '.join(_NEEDED)}", begin + 1)
    rows, line = [], begin + reader.line_num + 1
    for row in reader:
        rows.append((line, row))
        line = begin + reader.line_num + 1
    return _of_rows(path, names, rows, zone)


def _of_rows(
    path: Path, names: Sequence[str], rows: Sequence[tuple[int, list[str]]], zone: tzinfo | None
) -> list[Entry]:
    read: list[tuple[int, dict[str, str]]] = []
    mistakes: list[Mistake] = []
    for line, row in rows:
        if len(row) == len(names):
            read.append((line, dict(zip(names, row, strict=True))))
        elif row:
            what = f"has {len(row)} columns, the headings are {len(names)}: is it cut?"
            mistakes.append(Mistake(file=str(path), line=line, column=1, message=what))
    days_first = _days_first([one["TimeCreated"] for _, one in read])
    found = []
    for line, one in read:
        try:
            found.append(_of_row(one, line, days_first, zone))
        except ValueError as error:
            mistakes.append(Mistake(file=str(path), line=line, column=1, message=str(error)))
    if mistakes:
        raise ConfigError(mistakes[:_MOST_MISTAKES])
    return found


def _of_row(row: Mapping[str, str], line: int, days_first: bool | None, zone: tzinfo | None) -> Entry:
    if not row["Id"].strip().isdecimal():
        raise ValueError("has an Id that is no number")
    at = _time(row["TimeCreated"].strip(), days_first)
    if at.tzinfo is None and zone is None:
        raise ValueError("does not say its time zone: give --zone, for example Europe/London")
    number = int(row["Id"])
    return Entry(
        provider=row["ProviderName"].strip().lower(),
        number=number,
        host=row["MachineName"].strip(),
        at=(at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC),
        line=line,
        fields=_of_message(number, row.get("Message", "")),
    )


def _of_message(number: int, message: str) -> dict[str, str]:
    """Take numbers and names by their place, in whatever language the text is."""
    numbers = re.findall(r"\d+", message)
    if number in {39, 40}:
        return dict(zip(("session", "reason" if number == 40 else "source"), numbers, strict=False))
    if number in {21, 23, 24, 25}:
        user = re.search(r":\s*([^\s:\\]+\\[^\r\n]+?)\s*$", message, re.MULTILINE)
        session = re.search(r":\s*(\d+)\s*$", message, re.MULTILINE)
        found = {"user": user, "session": session}
        return {name: match[1] for name, match in found.items() if match}
    program = re.search(r"[\w.+-]+\.exe", message, re.IGNORECASE) if number in _PROGRAMS else None
    return {"program": program[0]} if program else {}


def _days_first(written: Sequence[str]) -> bool | None:
    """Say whether the day stands before the month; None when no time of the file tells."""
    for one in written:
        if found := _LOCAL.fullmatch(one.strip()):
            first, second = int(found[1]), int(found[3])
            if found[2] == "." or first > 12:
                return True
            if second > 12:
                return False
    return None


def _time(written: str, days_first: bool | None) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        found = _LOCAL.fullmatch(written)
    if found is None:
        raise ValueError(f"has no time that can be read: {written[:40]!r}")
    if days_first is None:
        raise ValueError(
            "has times in which day and month cannot be told apart: export them as .ToString('o') of TimeCreated"
        )
    day, month = (found[1], found[3]) if days_first else (found[3], found[1])
    hour = int(found[5]) % 12 + 12 * (found[8].lower() == "p") if found[8] else int(found[5])
    year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    return datetime(year, int(month), int(day), hour, int(found[6]), int(found[7] or 0))  # noqa: DTZ001  local
