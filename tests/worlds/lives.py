"""Lives of sessions, made up: what a keeper would have told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from collector.model.access import Access, Link, Presentation
from collector.model.session import EndCause, Kept, SessionEvent, SessionEventKind

WIFI = Access(link=Link.WIFI, presentation=Presentation.LOCAL)


def life(
    name: str,
    start: datetime,
    hours: float,
    cause: EndCause | None,
    *,
    access: Access = WIFI,
    work: tuple[Kept, Kept] | None = None,
    detail: str = "nothing answered for 61 s",
    **more: str,
) -> Iterator[SessionEvent]:
    """Give the events of a session that was open for ``hours``; without a cause it still is."""

    def event(
        kind: SessionEventKind, at_hours: float, *, exposure: float | None = None, **said: object
    ) -> SessionEvent:
        return SessionEvent(
            session_id=name,
            site="north",
            endpoint="desk-1",
            access=access,
            at=start + timedelta(hours=at_hours),
            kind=kind,
            open_seconds=3600 * (at_hours if exposure is None else exposure),
            **{"journey": "case-record", **more, **said},  # type: ignore[arg-type]
        )

    yield event(SessionEventKind.STARTED, 0)
    for tenth in range(1, 10):
        yield event(SessionEventKind.ALIVE, hours * tenth / 10)
    if cause is None:
        return
    yield event(SessionEventKind.ENDED, hours, cause=cause, detail=detail)
    if work is not None:
        yield event(
            SessionEventKind.READ_BACK,
            hours + 0.1,
            exposure=hours,
            saved_work=work[0],
            unsaved_work=work[1],
            at_risk_seconds=41.5,
        )
