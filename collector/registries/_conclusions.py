"""The half of the registry that keeps what people declared and what was concluded."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, Table, Update, func, or_, select, update

from collector.model.change import Change
from collector.model.drops import DropReport
from collector.model.errors import RejectedBatch
from collector.model.estate import Estate
from collector.model.judged import Judged
from collector.model.verdict import Status, Verdict
from collector.registries._tables import BATCHES, CHANGES, FIGURES, STANDING, VERDICTS

_CHANGE = TypeAdapter(Change)
_VERDICT = TypeAdapter(Verdict)
_DROPS = TypeAdapter(DropReport)
_DROPS_NAME = "drops"
_ESTATE = TypeAdapter(Estate | None)
_JUDGED = TypeAdapter(Judged)
_JUDGED_NAME = "judged"
_ESTATE_NAME = "estate"  # the one in force; each by itself is "estate:" and its digest
_MERGED = "merged"  # kept in the place of a status, so that who lists bad ones does not find it
_BAD = (str(Status.SLOW), str(Status.FAILING))


class Conclusions:
    """Changes, verdicts and what stands now, as JSON beside the columns they are looked up by."""

    _engine: Engine
    _writing: Engine

    def add_changes(self, batch_id: str, changes: Sequence[Change], *, replace: bool = True) -> bool:
        """See ``Registry.add_changes``."""
        with self._writing.begin() as connection:
            if connection.execute(select(BATCHES).where(BATCHES.c.batch_id == batch_id)).first():
                return False
            connection.execute(BATCHES.insert().values(batch_id=batch_id))
            for number, change in enumerate(changes):
                key = {"change_id": change.change_id}
                if not replace:
                    _check_new(connection, change, f"changes.{number}.change_id")
                row = {
                    "started_at": change.start,
                    "ended_at": change.end,
                    "batch_id": batch_id,
                    "body": _CHANGE.dump_json(change).decode(),
                }
                _put(connection, CHANGES, key, row)
        return True

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """List changes that overlap the period, by start."""
        row = CHANGES.c
        overlaps = (row.started_at < end) & or_(row.ended_at.is_(None), row.ended_at >= start)
        wanted = select(row.body).where(overlaps).order_by(row.started_at, row.change_id)
        with self._engine.connect() as connection:
            return [_CHANGE.validate_json(body) for body in connection.scalars(wanted)]

    def put_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Keep verdicts as immutable versions; the same id and version again changes nothing."""
        row = VERDICTS.c
        with self._writing.begin() as connection:
            for verdict in verdicts:
                same = (row.verdict_id == verdict.id) & (row.version == verdict.version)
                if connection.execute(select(row.verdict_id).where(same)).first():
                    continue
                connection.execute(
                    VERDICTS.insert().values(
                        verdict_id=verdict.id,
                        version=verdict.version,
                        status=_MERGED if verdict.merged_into else str(verdict.status),
                        started_at=verdict.start,
                        ended_at=verdict.end,
                        body=_VERDICT.dump_json(verdict).decode(),
                    )
                )

    def verdicts(self, start: datetime, end: datetime, *, limit: int = 500) -> Sequence[Verdict]:
        """List the latest version of each slow or failing verdict that overlaps the period, newest first."""
        row = VERDICTS.c
        latest = select(row.verdict_id, func.max(row.version).label("version")).group_by(row.verdict_id).subquery()
        wanted = (
            select(row.body)
            .join(latest, (latest.c.verdict_id == row.verdict_id) & (latest.c.version == row.version))
            .where(row.status.in_(_BAD), row.started_at < end, row.ended_at >= start)
            .order_by(row.ended_at.desc(), row.started_at.desc(), row.verdict_id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_VERDICT.validate_json(body) for body in connection.scalars(wanted)]

    def verdict(self, verdict_id: str, version: int | None = None) -> Verdict | None:
        """Give one verdict, its latest version unless told."""
        row = VERDICTS.c
        wanted = select(row.body).where(row.verdict_id == verdict_id).order_by(row.version.desc()).limit(1)
        if version is not None:
            wanted = wanted.where(row.version == version)
        with self._engine.connect() as connection:
            body = connection.scalar(wanted)
        return None if body is None else _VERDICT.validate_json(body)

    def put_standing(self, verdicts: Sequence[Verdict]) -> None:
        """Replace what is said now of each journey step and population (any status)."""
        with self._writing.begin() as connection:
            for verdict in verdicts:
                key = {
                    "site": verdict.site,
                    "journey": verdict.journey,
                    "step": verdict.step,
                    "link": str(verdict.population.link),
                    "presentation": str(verdict.population.presentation),
                    "environment": verdict.environment,
                    "against": str(verdict.against),
                }
                _put(connection, STANDING, key, {"body": _VERDICT.dump_json(verdict).decode()})

    def standing(self) -> Sequence[Verdict]:
        """List what is said now, by journey, step, population and reference."""
        row = STANDING.c
        order = (row.journey, row.step, row.link, row.presentation, row.environment, row.against, row.site)
        with self._engine.connect() as connection:
            bodies = connection.scalars(select(row.body).order_by(*order))
            return [_VERDICT.validate_json(body) for body in bodies]

    def put_drops(self, report: DropReport) -> None:
        """Replace what was counted of sessions held open."""
        with self._writing.begin() as connection:
            _put(connection, FIGURES, {"name": _DROPS_NAME}, {"body": _DROPS.dump_json(report).decode()})

    def drops(self) -> DropReport | None:
        """Give what was counted last of sessions held open; None when nothing was counted yet."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(FIGURES.c.body).where(FIGURES.c.name == _DROPS_NAME))
        return None if body is None else _DROPS.validate_json(body)

    def put_judged(self, judged: Judged) -> None:
        """Replace how far the regular analysis has looked."""
        with self._writing.begin() as connection:
            _put(connection, FIGURES, {"name": _JUDGED_NAME}, {"body": _JUDGED.dump_json(judged).decode()})

    def judged(self) -> Judged | None:
        """Give how far the regular analysis has looked; None when it never did."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(FIGURES.c.body).where(FIGURES.c.name == _JUDGED_NAME))
        return None if body is None else _JUDGED.validate_json(body)

    def put_estate(self, estate: Estate | None) -> None:
        """Keep a map of the estate for ever, by its digest, and make it the one in force; None puts none in force."""
        body = {"body": _ESTATE.dump_json(estate).decode()}
        with self._writing.begin() as connection:
            _put(connection, FIGURES, {"name": _ESTATE_NAME}, body)
            if estate is not None:
                _put(connection, FIGURES, {"name": f"{_ESTATE_NAME}:{estate.digest}"}, body)

    def estate(self, digest: str | None = None) -> Estate | None:
        """Give the map in force, or the one with this digest; None when there is none."""
        name = _ESTATE_NAME if digest is None else f"{_ESTATE_NAME}:{digest}"
        with self._engine.connect() as connection:
            body = connection.scalar(select(FIGURES.c.body).where(FIGURES.c.name == name))
        return None if body is None else _ESTATE.validate_json(body)

    def _write(self, statement: Update) -> int:
        with self._writing.begin() as connection:
            return connection.execute(statement).rowcount


def _check_new(connection: Connection, change: Change, field: str) -> None:
    known = connection.scalar(select(CHANGES.c.body).where(CHANGES.c.change_id == change.change_id))
    if known is not None and _CHANGE.validate_json(known) != change:
        raise RejectedBatch(
            "another change has this id: only an operator may replace it, else choose a new id", field=field
        )


def _put(connection: Connection, table: Table, key: dict[str, Any], row: dict[str, Any]) -> None:
    same = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*same).values(row)).rowcount:
        connection.execute(table.insert().values(key | row))
