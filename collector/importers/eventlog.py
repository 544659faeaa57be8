"""Windows event logs: what ended sessions, as XML of ``wevtutil qe /f:xml`` or CSV of ``Get-WinEvent … | Export-Csv``.

Kept are the ends of sessions (LocalSessionManager/Operational 21, 23, 24, 25, 39, 40), of the machine (System 41,
1074, 6008) and of programs (Application 1000, 1002). An entry's own text is not kept. Names of people become
pseudonyms; which of them are probes', and of which endpoint, is said by who imports the log. Reason codes are those
documented for RDP; one that more than one thing leads to gives no cause.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from collector.importer import Asked, Imported
from collector.importers._event_rows import Entry, csv_entries, xml_entries
from collector.importers._xml import refused
from collector.model.checks import as_name
from collector.model.errors import ConfigError, Mistake
from collector.model.facts import Facts
from collector.model.host_event import HostEvent, HostLog
from collector.model.session import EndCause
from collector.text_file import decoded

_MOST_MISTAKES = 20
_MOST_NUMBER = 2**63
_LONGEST_PROGRAM = 80
_XML_HEAD = re.compile(r"\s*(?:<\?xml[^>]*>)?\s*<(?:Events\b|Event\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Meaning:
    log: HostLog
    said: str
    cause: EndCause | None = None


_SESSIONS = "microsoft-windows-terminalservices-localsessionmanager"
_MEANINGS: Mapping[tuple[str, int], _Meaning] = {
    (_SESSIONS, 21): _Meaning(HostLog.SESSIONS, "logged on"),
    (_SESSIONS, 23): _Meaning(HostLog.SESSIONS, "logged off"),
    (_SESSIONS, 24): _Meaning(HostLog.SESSIONS, "disconnected"),
    (_SESSIONS, 25): _Meaning(HostLog.SESSIONS, "taken up again"),
    (_SESSIONS, 39): _Meaning(HostLog.SESSIONS, "disconnected by another session", EndCause.REPLACED),
    (_SESSIONS, 40): _Meaning(HostLog.SESSIONS, "disconnected"),
    ("microsoft-windows-kernel-power", 41): _Meaning(
        HostLog.SYSTEM, "the machine started again without having been shut down", EndCause.HOST
    ),
    ("eventlog", 6008): _Meaning(HostLog.SYSTEM, "the machine had stopped without a shutdown", EndCause.HOST),
    ("user32", 1074): _Meaning(HostLog.SYSTEM, "a shutdown or restart was asked for", EndCause.ADMIN),
    ("application error", 1000): _Meaning(HostLog.APPLICATION, "a program crashed", EndCause.APPLICATION),
    ("application hang", 1002): _Meaning(
        HostLog.APPLICATION, "a program did not answer and was closed", EndCause.APPLICATION
    ),
}
_NO_REASON = "for a reason without a name here"
_REASONS: Mapping[int, tuple[str, EndCause | None]] = {  # of 40
    0: ("no reason given", None),  # a window that was closed, and a network that went
    1: ("by a program or an administrator", None),
    2: ("logged off by a program or an administrator", None),
    3: ("idle time limit", EndCause.IDLE),
    4: ("time limit of connections", EndCause.ADMIN),
    5: ("replaced by another connection", EndCause.REPLACED),
    6: ("the machine was out of memory", EndCause.HOST),
    11: ("the user disconnected", None),  # nobody but the probe should be that user
    12: ("the user logged off", None),
}


class _EventLog:
    def knows(self, name: str, head: bytes) -> bool:  # noqa: ARG002  the beginning says it, whatever its name
        """Take events of Windows, in UTF-16 too."""
        text = head.replace(b"\0", b"")
        xml = b"<Event" in text and b"schemas.microsoft.com/win/2004/08/events" in text
        return xml or (b"ProviderName" in text and b"TimeCreated" in text and b"MachineName" in text)

    def read(self, path: Path, asked: Asked) -> Imported:
        """Read a whole log. Raises ConfigError; a name of a person needs ``asked.pseudonyms``."""
        text = decoded(path)
        entries = xml_entries(path, text) if _XML_HEAD.match(text) else csv_entries(path, text, asked.zone)
        log = _Reading(path, asked)
        events = log.events(entries)
        return Imported(facts=Facts(host_events=tuple(events)), warnings=log.warnings())


PLUGIN = _EventLog()


@dataclass(slots=True)
class _Reading:
    path: Path
    asked: Asked
    mistakes: list[Mistake] = field(default_factory=list)
    others: int = 0
    nameless: int = 0
    held: Counter[str] = field(default_factory=Counter)

    def events(self, entries: Sequence[Entry]) -> list[HostEvent]:
        """Give what is known, in order of time. Raises ConfigError with every mistake."""
        known = [entry for entry in entries if (entry.provider, entry.number) in _MEANINGS]
        self.others = len(entries) - len(known)
        named = _Users(known)
        found = [event for entry in known if (event := self._event(entry, named)) is not None]
        if self.mistakes:
            raise ConfigError(self.mistakes[:_MOST_MISTAKES])
        return sorted(found, key=lambda event: (event.at, event.host, event.event_number))

    def warnings(self) -> list[str]:
        """Say what was left out, and of whom nothing was found."""
        told = [f"{self.others} events of other kinds are not kept"] if self.others else []
        if self.nameless:
            told.append(f"{self.nameless} disconnections do not say whose: the log on is not in the file")
        return told + [f"no session of {user} is in it" for user in self.asked.held if not self.held[user]]

    def _event(self, entry: Entry, named: "_Users") -> HostEvent | None:
        meaning = _MEANINGS[entry.provider, entry.number]
        session = self._number(entry, "session")
        user = named.of(entry, session) if meaning.log is HostLog.SESSIONS else entry.fields.get("user")
        self.nameless += meaning.log is HostLog.SESSIONS and not user
        host = as_name(entry.host)
        if not host:
            self._wrong(entry, "does not say on which machine it was")
            return None
        event = HostEvent(
            site=self.asked.site, host=host, at=entry.at, log=meaning.log, event_number=entry.number, said=meaning.said,
            cause=meaning.cause, session=session, user=self._pseudonym(user), endpoint=self._endpoint(user),
            program=_program(entry.fields.get("program")),
        )  # fmt: skip
        return self._with_reason(event, entry)

    def _with_reason(self, event: HostEvent, entry: Entry) -> HostEvent | None:
        if event.event_number == 40:
            code = self._number(entry, "reason")
            if code is None:
                self._wrong(entry, "is a disconnection (40) without a session and a reason code")
                return None
            words, cause = _REASONS.get(code, (_NO_REASON, None))
            return replace(event, code=code, cause=cause, said=f"{event.said}: {words} (reason {code})")
        if event.event_number == 39 and self._number(entry, "source") in {None, event.session}:
            return replace(event, cause=None, said="disconnected by itself")
        return event if event.program is None else replace(event, said=f"{event.said}: {event.program}")

    def _number(self, entry: Entry, name: str) -> int | None:
        text = entry.fields.get(name)
        if text is None:
            return None
        if not text.isdecimal() or int(text) >= _MOST_NUMBER:
            self._wrong(entry, f"has a {name} that is no number")
            return None
        return int(text)

    def _pseudonym(self, user: str | None) -> str | None:
        if not user:
            return None
        if self.asked.pseudonyms is None:
            raise refused(self.path, "names people: without the key of the site they cannot be kept under pseudonyms")
        return self.asked.pseudonyms().of("user", user.lower())

    def _endpoint(self, user: str | None) -> str | None:
        """Give the endpoint whose probe signs in as ``user``; a name that was given without a domain fits any."""
        written = (user or "").lower()
        for held, endpoint in self.asked.held.items():
            if held.lower() in {written, written.rpartition("\\")[2]}:
                self.held[held] += 1
                return endpoint
        return None

    def _wrong(self, entry: Entry, what: str) -> None:
        self.mistakes.append(Mistake(file=str(self.path), line=entry.line, column=1, message=what))


class _Users:
    """Who had a session of a machine at a time: some entries have its number only."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._seen: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        for entry in sorted(entries, key=lambda entry: entry.at):
            user, session = entry.fields.get("user"), entry.fields.get("session")
            if user and session:
                self._seen.setdefault((entry.host, session), []).append((entry.at, user))

    def of(self, entry: Entry, session: int | None) -> str | None:
        """Give the last who was seen in it, up to this entry."""
        if user := entry.fields.get("user"):
            return user
        seen = self._seen.get((entry.host, str(session)), [])
        place = bisect_right(seen, entry.at, key=lambda one: one[0])
        return seen[place - 1][1] if place else None


def _program(name: str | None) -> str | None:
    if not name:
        return None
    return re.sub(r"[^\w.+() -]", "?", name.strip().rpartition("\\")[2])[:_LONGEST_PROGRAM] or None
