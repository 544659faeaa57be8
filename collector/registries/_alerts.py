"""The part of the registry that keeps alerts, their messages on the way, and the counts of error budgets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, Row, delete, func, select, update

from collector.model.alert import Alert, Message, Notice, NoticeState, Tally
from collector.registries._tables import ALERTS, NOTICES, TALLIES

_ALERT = TypeAdapter(Alert)
_MESSAGE = TypeAdapter(Message)
_TALLIES_KEPT = timedelta(days=100)
_NOTICES_KEPT = timedelta(days=100)
_OPEN = (str(NoticeState.WAITING), str(NoticeState.SENDING))


class Alerts:
    """A change of state and the messages that tell of it are one transaction."""

    _engine: Engine
    _writing: Engine

    def put_alerts(
        self,
        alerts: Sequence[Alert],
        *,
        notices: Sequence[Notice] = (),
        gone: Sequence[str] = (),
        tallies: Sequence[Tally] = (),
        now: datetime,
    ) -> None:
        """See ``Registry.put_alerts``."""
        with self._writing.begin() as connection:
            known = _known(connection)
            for alert in alerts:
                _put_alert(connection, alert, known.get(alert.key))
            for key in gone:
                connection.execute(delete(ALERTS).where(ALERTS.c.key == key))
            for notice in notices:
                _put_notice(connection, notice)
            _put_tallies(connection, tallies)
            settled = NOTICES.c.settled_at < now - _NOTICES_KEPT
            connection.execute(delete(NOTICES).where(settled))
            connection.execute(delete(TALLIES).where(TALLIES.c.start < now - _TALLIES_KEPT))

    def alerts(self) -> Sequence[Alert]:
        """List what every rule says now, by key."""
        with self._engine.connect() as connection:
            return list(_known(connection).values())

    def acknowledge(self, key: str, *, by: str, now: datetime) -> Alert:
        """See ``Registry.acknowledge``."""
        with self._writing.begin() as connection:
            body = connection.scalar(select(ALERTS.c.body).where(ALERTS.c.key == key))
            alert = None if body is None else _ALERT.validate_json(body)
            if alert is None or alert.opened_at is None:
                raise LookupError(f"there is no open alert {key}: whichlayer alerts lists them")
            seen = replace(alert, acknowledged_by=by, acknowledged_at=now)
            row = {"body": _ALERT.dump_json(seen).decode()}
            connection.execute(update(ALERTS).where(ALERTS.c.key == key).values(row))
        return seen

    def claim_notice(self, channel: str, *, holder: str, now: datetime) -> Notice | None:
        """See ``Registry.claim_notice``."""
        row = NOTICES.c
        first = select(NOTICES).where(row.channel == channel, row.state.in_(_OPEN)).order_by(row.number).limit(1)
        with self._writing.begin() as connection:
            found = connection.execute(first).one_or_none()
            if found is None or not _claimable(found, holder, now):
                return None
            crashed = found.state == NoticeState.SENDING
            taken = {
                "state": str(NoticeState.SENDING),
                "holder": holder,
                "attempts": found.attempts + 1,
                "unsure": found.unsure + crashed,
            }
            connection.execute(update(NOTICES).where(row.number == found.number).values(taken))
        claimed = replace(_notice(found), attempts=found.attempts + 1, unsure=found.unsure + crashed)
        return replace(claimed, state=NoticeState.SENDING)

    def settle_notice(
        self,
        notice_id: str,
        *,
        state: NoticeState,
        now: datetime,
        not_before: datetime | None = None,
        remark: str | None = None,
    ) -> None:
        """See ``Registry.settle_notice``."""
        row = {
            "state": str(state),
            "holder": None,
            "not_before": not_before,
            "settled_at": None if state is NoticeState.WAITING else now,
            "remark": remark,
        }
        with self._writing.begin() as connection:
            connection.execute(update(NOTICES).where(NOTICES.c.notice_id == notice_id).values(row))

    def notices(self, *, limit: int = 100) -> Sequence[Notice]:
        """List messages, those on their way before the others, the newest first."""
        row = NOTICES.c
        wanted = select(NOTICES).order_by(row.state.in_(_OPEN).desc(), row.number.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_notice(found) for found in connection.execute(wanted)]

    def tallied(self, start: datetime, end: datetime) -> Sequence[Tally]:
        """See ``Registry.tallied``."""
        row = TALLIES.c
        wanted = (
            select(row.budget, func.min(row.start).label("start"), func.sum(row.units), func.sum(row.bad))
            .where(row.start >= start, row.start < end)
            .group_by(row.budget)
            .order_by(row.budget)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(wanted)
            return [Tally(budget=name, start=first, units=units, bad=bad) for name, first, units, bad in rows]


def forget_site(connection: Connection, site: str) -> None:
    """Remove what is of a site; a message of several sites does not exist."""
    for table in (ALERTS, NOTICES, TALLIES):
        connection.execute(delete(table).where(table.c.site == site))


def _known(connection: Connection) -> dict[str, Alert]:
    bodies = connection.execute(select(ALERTS.c.key, ALERTS.c.body).order_by(ALERTS.c.key))
    return {key: _ALERT.validate_json(body) for key, body in bodies}


def _put_alert(connection: Connection, alert: Alert, known: Alert | None) -> None:
    """Keep an alert; who has seen it was told between reading and writing, and stays with the same life."""
    if known is not None and alert.opened_at is not None and known.opened_at == alert.opened_at:
        alert = replace(alert, acknowledged_by=known.acknowledged_by, acknowledged_at=known.acknowledged_at)
    row = {"site": alert.subject.site, "body": _ALERT.dump_json(alert).decode()}
    if known is None:
        connection.execute(ALERTS.insert().values(key=alert.key, **row))
    elif known != alert:
        connection.execute(update(ALERTS).where(ALERTS.c.key == alert.key).values(row))


def _put_notice(connection: Connection, notice: Notice) -> None:
    if connection.execute(select(NOTICES.c.number).where(NOTICES.c.notice_id == notice.notice_id)).first():
        return
    row = {
        "notice_id": notice.notice_id,
        "channel": notice.channel,
        "site": notice.site,
        "created_at": notice.created_at,
        "state": str(NoticeState.WAITING),
        "body": _MESSAGE.dump_json(notice.message).decode(),
    }
    connection.execute(NOTICES.insert().values(row))


def _put_tallies(connection: Connection, tallies: Sequence[Tally]) -> None:
    """Replace the counts of the quarters of an hour that are given."""
    for tally in tallies:
        same = (TALLIES.c.budget == tally.budget) & (TALLIES.c.start == tally.start)
        row = {"units": tally.units, "bad": tally.bad}
        if not connection.execute(update(TALLIES).where(same).values(row)).rowcount:
            key = {"budget": tally.budget, "start": tally.start, "site": tally.budget.split(":", 1)[1].split("/", 1)[0]}
            connection.execute(TALLIES.insert().values(key | row))


def _claimable(row: Row[Any], holder: str, now: datetime) -> bool:
    if row.state == NoticeState.SENDING:
        return bool(row.holder != holder)  # that process ended before it could say what became of it
    return row.not_before is None or row.not_before <= now


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        channel=row.channel,
        message=_MESSAGE.validate_json(row.body),
        site=row.site,
        created_at=row.created_at,
        state=NoticeState(row.state),
        attempts=row.attempts,
        unsure=row.unsure,
        not_before=row.not_before,
        settled_at=row.settled_at,
        remark=row.remark,
    )
