"""Sessions held open that ended or came back, as they were told, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow.compute as pc

from collector import host_account
from collector.host_account import Account
from collector.model.access import Link, Population, Presentation
from collector.model.session import EndCause, Kept
from collector.store import Slice, Store
from dashboards.clock import aware

SHOWN = 200
_KINDS = ["ended", "read_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One end: when it was seen, of what, why, on what evidence; and the work, if it was read back."""

    at: datetime
    session_id: str
    journey: str
    endpoint: str
    environment: str
    population: Population
    cause: EndCause
    detail: str
    open_seconds: float
    saved_work: Kept | None
    unsaved_work: Kept | None
    at_risk_seconds: float | None
    account: Account | None = None


def ends(store: Store, start: datetime, end: datetime) -> tuple[Sequence[Ended], int]:
    """List the latest unplanned ends of a period, and how many more there are."""
    wanted = Slice(start=start, end=end + timedelta(hours=1), where={"kind": _KINDS})
    rows = [row for row in store.scan("sessions", wanted).to_pylist() if row["synthetic"] is not False]
    read = {row["session_id"]: row for row in rows if row["kind"] == "read_back"}
    found = [row for row in reversed(rows) if row["kind"] == "ended" and row["cause"] != EndCause.USER]
    logged = _accounts(store, wanted) if found else {}
    shown = [_ended(row, read.get(row["session_id"], {}), logged.get(row["session_id"])) for row in found[:SHOWN]]
    return shown, max(len(found) - SHOWN, 0)


def _accounts(store: Store, wanted: Slice) -> Mapping[str, Account]:
    """Give what the logs of machines have beside the ends, the same as is counted."""
    events = store.scan("host_events", Slice(start=wanted.start, end=wanted.end), columns=host_account.NEEDED)
    if not events.num_rows:
        return {}
    columns = ["session_id", "at", "kind", "endpoint", "cause", "synthetic"]
    lives = store.scan("sessions", Slice(start=wanted.start, end=wanted.end), columns=columns)
    return host_account.accounts(lives.filter(pc.fill_null(lives["synthetic"], fill_value=True)), events)


def _ended(row: dict[str, object], read: dict[str, object], account: Account | None) -> Ended:
    at, open_seconds, risk = row["at"], row["open_seconds"], read.get("at_risk_seconds")
    assert isinstance(at, datetime)
    assert isinstance(open_seconds, float)
    return Ended(
        at=aware(at),
        session_id=str(row["session_id"]),
        journey=str(row["journey"] or "a session"),
        endpoint=str(row["endpoint"]),
        environment=str(row["environment"]),
        population=Population(link=Link(str(row["link"])), presentation=Presentation(str(row["presentation"]))),
        cause=account.cause if account else EndCause(str(row["cause"])),
        detail=str(row["detail"] or "no evidence was told"),
        open_seconds=open_seconds,
        saved_work=_kept(read.get("saved_work")),
        unsaved_work=_kept(read.get("unsaved_work")),
        at_risk_seconds=risk if isinstance(risk, float) else None,
        account=account,
    )


def _kept(value: object) -> Kept | None:
    return None if value is None else Kept(str(value))
