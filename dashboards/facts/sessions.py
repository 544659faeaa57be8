"""Sessions held open that ended or came back, as they were told, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


def ends(store: Store, start: datetime, end: datetime) -> tuple[Sequence[Ended], int]:
    """List the latest unplanned ends of a period, and how many more there are."""
    wanted = Slice(start=start, end=end + timedelta(hours=1), where={"kind": _KINDS})
    rows = [row for row in store.scan("sessions", wanted).to_pylist() if row["synthetic"] is not False]
    read = {row["session_id"]: row for row in rows if row["kind"] == "read_back"}
    found = [row for row in reversed(rows) if row["kind"] == "ended" and row["cause"] != EndCause.USER]
    return [_ended(row, read.get(row["session_id"], {})) for row in found[:SHOWN]], max(len(found) - SHOWN, 0)


def _ended(row: dict[str, object], read: dict[str, object]) -> Ended:
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
        cause=EndCause(str(row["cause"])),
        detail=str(row["detail"] or "no evidence was told"),
        open_seconds=open_seconds,
        saved_work=_kept(read.get("saved_work")),
        unsaved_work=_kept(read.get("unsaved_work")),
        at_risk_seconds=risk if isinstance(risk, float) else None,
    )


def _kept(value: object) -> Kept | None:
    return None if value is None else Kept(str(value))
