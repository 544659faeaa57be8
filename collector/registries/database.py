"""The registry in a relational database: SQLite beside the lake, PostgreSQL where one machine is too few."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from collector.model.checks import named
from collector.registries import _forget, _leases
from collector.registries._alerts import Alerts
from collector.registries._conclusions import Conclusions
from collector.registries._database import open_engine, rewrite, writing
from collector.registries._tables import ACCOUNTS, AGENTS, INVITATIONS
from collector.registry import Account, Agent, Credentials, LeaseState, Removed, Scope

_INVITATION_LIFE = timedelta(hours=24)
_SECRET_BYTES = 32  # 256 bits: nothing to guess, so a plain SHA-256 is enough to keep it by


class DatabaseRegistry(Conclusions, Alerts):
    """Everything that is not an append-only fact. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        """Open ``url``; raises StoreError when it cannot be opened or is newer than this code."""
        self._engine = open_engine(url)
        self._writing = writing(self._engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def forget(self, site: str, *, now: datetime, dry_run: bool = False) -> Removed:
        """See ``Registry.forget``. A database other than SQLite keeps deleted bytes until its own vacuum."""
        with self._writing.begin() as connection:
            found = _forget.found(connection, site)
            if not dry_run:
                _forget.remove(connection, found, now)
        if not dry_run:
            rewrite(self._engine)  # also when nothing was found: the time before may have been cut short
        return Removed(verdicts=len(found.verdicts), changes=len(found.changes), maps=len(found.maps))

    def invite(self, endpoint: str, *, scope: Scope, now: datetime) -> str:
        """Make a one-time enrolment code for ``endpoint``, good for 24 hours."""
        named("endpoint", endpoint)
        code = secrets.token_urlsafe(_SECRET_BYTES)
        with self._writing.begin() as connection:
            connection.execute(INVITATIONS.delete().where(INVITATIONS.c.expires_at <= now))
            connection.execute(
                INVITATIONS.insert().values(
                    code_sha256=_digest(code), endpoint=endpoint, scope=str(scope), expires_at=now + _INVITATION_LIFE
                )
            )
        return code

    def enrol(self, code: str, *, now: datetime, endpoint: str | None = None) -> Credentials | None:
        """See ``Registry.enrol``."""
        row = INVITATIONS.c
        usable = (row.code_sha256 == _digest(code)) & row.used_at.is_(None) & (row.expires_at > now)
        if endpoint is not None:
            usable &= row.endpoint == endpoint
        with self._writing.begin() as connection:
            invitation = connection.execute(select(INVITATIONS).where(usable).with_for_update()).one_or_none()
            if invitation is None:
                return None
            connection.execute(update(INVITATIONS).where(usable).values(used_at=now))
            given = Credentials(agent_id=secrets.token_hex(8), token=secrets.token_urlsafe(_SECRET_BYTES))
            connection.execute(
                AGENTS.insert().values(
                    agent_id=given.agent_id,
                    endpoint=invitation.endpoint,
                    scope=invitation.scope,
                    token_sha256=_digest(given.token),
                    enrolled_at=now,
                )
            )
        return given

    def agent_of(self, token: str) -> Agent | None:
        """Find who holds ``token``; None when unknown or revoked."""
        known = (AGENTS.c.token_sha256 == _digest(token)) & AGENTS.c.revoked_at.is_(None)
        with self._engine.connect() as connection:
            row = connection.execute(select(AGENTS).where(known)).one_or_none()
        return None if row is None else _agent(row)

    def agents(self) -> Sequence[Agent]:
        """List all agents, by endpoint."""
        ordered = select(AGENTS).order_by(AGENTS.c.endpoint, AGENTS.c.enrolled_at, AGENTS.c.agent_id)
        with self._engine.connect() as connection:
            return [_agent(row) for row in connection.execute(ordered)]

    def revoke(self, agent_id: str, *, now: datetime) -> None:
        """Refuse this agent from now on. Raises LookupError when unknown."""
        found = self._write(update(AGENTS).where(AGENTS.c.agent_id == agent_id).values(revoked_at=now))
        if not found:
            raise LookupError(f"there is no agent {agent_id}")

    def seen(self, agent_id: str, *, now: datetime, skew_seconds: float | None, version: str | None) -> None:
        """Note that an agent was heard."""
        heard: dict[str, Any] = {"seen_at": now}
        if skew_seconds is not None:
            heard["skew_seconds"] = skew_seconds
        if version is not None:
            heard["version"] = version[:100]
        self._write(update(AGENTS).where(AGENTS.c.agent_id == agent_id).values(heard))

    def lease(self, account: str, *, holder: str, until: datetime, now: datetime, renew: bool = False) -> LeaseState:
        """Ask to use an account: never two runs of one account at once, none while it is paused."""
        with self._writing.begin() as connection:
            before = self._account(connection, account)
            after, state = _leases.lease(before, holder=holder, until=until, now=now, renew=renew)
            self._keep(connection, after)
        return state

    def release(self, account: str, *, holder: str, authenticated: bool | None, now: datetime) -> LeaseState:
        """Give an account back. ``authenticated`` False counts, True clears, None says nothing."""
        with self._writing.begin() as connection:
            before = self._account(connection, account)
            after, state = _leases.release(before, holder=holder, authenticated=authenticated, now=now)
            self._keep(connection, after)
        return state

    def resume(self, account: str) -> None:
        """Let a paused account be used again. Raises LookupError when unknown."""
        cleared = {"paused_at": None, "failures_in_a_row": 0}
        if not self._write(update(ACCOUNTS).where(ACCOUNTS.c.name == account).values(cleared)):
            raise LookupError(f"there is no account {account}")

    def accounts(self) -> Sequence[Account]:
        """List accounts, by name."""
        with self._engine.connect() as connection:
            return [_of_row(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))]

    @staticmethod
    def _account(connection: Connection, name: str) -> Account:
        found = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name).with_for_update())
        row = found.one_or_none()
        return _leases.fresh(name) if row is None else _of_row(row)

    @staticmethod
    def _keep(connection: Connection, account: Account) -> None:
        values = asdict(account)
        if not connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == account.name).values(values)).rowcount:
            connection.execute(ACCOUNTS.insert().values(values))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _agent(row: Row[Any]) -> Agent:
    values = dict(row._mapping)
    del values["token_sha256"]
    return Agent(**values | {"scope": Scope(values["scope"])})


def _of_row(row: Row[Any]) -> Account:
    return Account(**row._mapping)
