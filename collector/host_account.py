"""What the logs of machines say of how sessions held open ended, beside what their probes saw.

A probe sees a session from outside: where it can only infer a cause, or none, the machine's own log decides. What the
system itself had shown (idle, replaced, ended by an administrator) stays. Where the two differ both are told.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collector.model.host_event import HostLog
from collector.model.session import DROPS, EndCause

SKEW = timedelta(seconds=60)  # between the clocks of a machine and of an endpoint: those of one domain are closer
NEEDED = ("at", "host", "log", "event_number", "said", "cause", "endpoint")
_LIVED = ("started", "alive", "reconnected")
_BACK_WITHIN = timedelta(minutes=30)  # a machine that went down logs it when it is back
_DOWN_WITHIN = timedelta(minutes=10)  # from the request for a shutdown to its end
_WHEN_BACK, _SHUTDOWN = frozenset({41, 6008}), 1074
_ORDER = (HostLog.SESSIONS, HostLog.SYSTEM, HostLog.APPLICATION)
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """How a session ended. ``event`` is the entry beside it; ``agrees`` is None where one of the two knew no cause."""

    cause: EndCause
    told: EndCause
    event: str
    agrees: bool | None

    @property
    def by_event(self) -> bool:
        """Say whether the cause is the log's word alone."""
        return self.cause is not self.told


def accounts(sessions: pa.Table, events: pa.Table) -> Mapping[str, Account]:
    """Give the ended sessions of ``sessions`` that an entry of ``events`` is about, by their ids.

    ``sessions`` has session_id, at, kind, endpoint and cause, of sessions held open only. Planned ends are left out.
    """
    if not events.num_rows or not sessions.num_rows:
        return {}
    lived = sessions.filter(pc.is_in(sessions["kind"], pa.array(_LIVED)))
    last = {
        row["session_id"]: (row["at_min"], row["at_max"])
        for row in lived.group_by("session_id").aggregate([("at", "min"), ("at", "max")]).to_pylist()
    }
    entries = _Entries(events.select(list(NEEDED)).to_pylist())
    found = {}
    for ended in sessions.filter(pc.equal(sessions["kind"], "ended")).to_pylist():
        if ended["cause"] != EndCause.USER:
            begun, alive = last.get(ended["session_id"], (ended["at"], ended["at"]))
            beside = entries.beside(ended["endpoint"], begun, alive, ended["at"])
            if beside is not None:
                found[ended["session_id"]] = _account(EndCause(ended["cause"]), beside)
    return found


class _Entries:
    def __init__(self, rows: Iterable[_Row]) -> None:
        self._own: dict[str, list[_Row]] = defaultdict(list)
        self._machines: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            if row["log"] == HostLog.SESSIONS:
                self._own[row["endpoint"]].append(row)  # of people's sessions: under None
            else:
                self._machines[row["host"]].append(row)

    def beside(self, endpoint: str, begun: datetime, alive: datetime, ended: datetime) -> _Row | None:
        """Give the entry that says most of an end between ``alive`` and ``ended``; None when there is none."""
        own = [row for row in self._own[endpoint] if begun - SKEW <= row["at"] <= ended + SKEW]
        hosts = [row["host"] for row in sorted(own, key=lambda row: row["at"])]
        machine = self._machines[hosts[-1]] if hosts else []
        near = [row for row in (*own, *machine) if row["event_number"] not in {21, 25} and _fits(row, alive, ended)]
        return min(near, key=lambda row: _rank(row, ended), default=None)


def _fits(row: _Row, alive: datetime, ended: datetime) -> bool:
    before = _BACK_WITHIN if row["event_number"] in _WHEN_BACK else timedelta()
    after = _DOWN_WITHIN if row["event_number"] == _SHUTDOWN else timedelta()
    first, last = row["at"] - before, row["at"] + after
    return bool(first <= ended + SKEW and last >= alive - SKEW)


def _rank(row: _Row, ended: datetime) -> tuple[bool, int, timedelta, str]:
    """Those that know a cause first; then the session's own log before the machine's, and the nearest."""
    return row["cause"] is None, _ORDER.index(HostLog(row["log"])), abs(row["at"] - ended), row["said"]


def _account(told: EndCause, row: _Row) -> Account:
    event = f"{row['host']} logged at {row['at']:%H:%M:%S} UTC: {row['said']}"
    if row["cause"] is None:
        return Account(cause=told, told=told, event=event, agrees=None)
    said = EndCause(row["cause"])
    if told is EndCause.UNKNOWN:
        return Account(cause=said, told=told, event=event, agrees=None)
    inferred = told in DROPS and row["log"] != HostLog.APPLICATION  # any program may crash beside
    return Account(cause=said if inferred else told, told=told, event=event, agrees=said is told)
