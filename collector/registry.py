"""The contract of the registry: everything that is not an append-only fact.

Who may send, which accounts are paused, what was changed, what was concluded. Implementations live
in ``collector/registries/``; every one passes ``tests/contract/test_registry*.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from collector.model.alert import Alert, Notice, NoticeState, Tally
from collector.model.change import Change
from collector.model.drops import DropReport
from collector.model.estate import Estate
from collector.model.judged import Judged
from collector.model.verdict import Verdict


class Scope(StrEnum):
    """What a token may do: agents send facts, operators read and decide."""

    AGENT = "agent"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One enrolled agent. Its token is kept only as a hash and never handed out twice."""

    agent_id: str
    endpoint: str
    scope: Scope
    enrolled_at: datetime
    revoked_at: datetime | None = None
    seen_at: datetime | None = None
    skew_seconds: float | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What enrolment hands out, once."""

    agent_id: str
    token: str


class LeaseState(StrEnum):
    """Whether an account may be used for a run now."""

    GRANTED = "granted"
    BUSY = "busy"  # another run holds it
    PAUSED = "paused"  # two authentication failures in a row; a person resumes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A probe's account as the registry knows it: a name, never a password."""

    name: str
    failures_in_a_row: int
    paused_at: datetime | None
    held_by: str | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What went with a site, or would go, beside its facts.

    ``verdicts`` are those that lose their evidence, every version counted; ``maps`` those of the estate that name it.
    """

    verdicts: int
    changes: int
    maps: int


@runtime_checkable
class Registry(Protocol):
    """Agents, accounts, changes and verdicts. All times are aware; ``now`` always comes from outside."""

    def invite(self, endpoint: str, *, scope: Scope, now: datetime) -> str:
        """Make a one-time enrolment code for ``endpoint``, good for 24 hours."""
        ...

    def enrol(self, code: str, *, now: datetime, endpoint: str | None = None) -> Credentials | None:
        """Trade a code for credentials; None when it is unknown, used, too old or not for ``endpoint``, if given."""
        ...

    def agent_of(self, token: str) -> Agent | None:
        """Find who holds ``token``; None when unknown or revoked."""
        ...

    def agents(self) -> Sequence[Agent]:
        """List all agents, by endpoint."""
        ...

    def revoke(self, agent_id: str, *, now: datetime) -> None:
        """Refuse this agent from now on. Raises LookupError when unknown."""
        ...

    def seen(self, agent_id: str, *, now: datetime, skew_seconds: float | None, version: str | None) -> None:
        """Note that an agent was heard."""
        ...

    def lease(self, account: str, *, holder: str, until: datetime, now: datetime, renew: bool = False) -> LeaseState:
        """Ask to use an account: never two runs of one account at once, none while it is paused.

        With ``renew`` who holds it already keeps it until ``until``; that is for a session held open.
        """
        ...

    def release(self, account: str, *, holder: str, authenticated: bool | None, now: datetime) -> LeaseState:
        """Give an account back. ``authenticated`` False counts, True clears, None says nothing.

        The second failure in a row, from whichever agents, pauses the account; gives PAUSED then.
        """
        ...

    def resume(self, account: str) -> None:
        """Let a paused account be used again. Raises LookupError when unknown."""
        ...

    def accounts(self) -> Sequence[Account]:
        """List accounts, by name."""
        ...

    def add_changes(self, batch_id: str, changes: Sequence[Change], *, replace: bool = True) -> bool:
        """Keep changes and their batch id in one transaction; False when the batch is known.

        A change that is declared again replaces itself: that is how one under way gets its end. Without
        ``replace`` that raises RejectedBatch, and nothing of the batch is kept; the very same again is fine.
        """
        ...

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """List changes that overlap the period, by start."""
        ...

    def put_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Keep verdicts as immutable versions; the same id and version again changes nothing."""
        ...

    def verdicts(self, start: datetime, end: datetime, *, limit: int = 500) -> Sequence[Verdict]:
        """List the latest version of each slow or failing verdict that overlaps the period, newest first.

        One that was merged into another is not listed: the other one speaks for it.
        """
        ...

    def verdict(self, verdict_id: str, version: int | None = None) -> Verdict | None:
        """Give one verdict, its latest version unless told."""
        ...

    def put_standing(self, verdicts: Sequence[Verdict]) -> None:
        """Replace what is said now of each journey step and population (any status)."""
        ...

    def standing(self) -> Sequence[Verdict]:
        """List what is said now, by journey, step, population and reference."""
        ...

    def put_drops(self, report: DropReport) -> None:
        """Replace what was counted of sessions held open."""
        ...

    def drops(self) -> DropReport | None:
        """Give what was counted last of sessions held open; None when nothing was counted yet."""
        ...

    def put_judged(self, judged: Judged) -> None:
        """Replace how far the regular analysis has looked."""
        ...

    def judged(self) -> Judged | None:
        """Give how far the regular analysis has looked; None when it never did."""
        ...

    def put_estate(self, estate: Estate | None) -> None:
        """Keep a map of the estate for ever, by its digest, and make it the one in force; None puts none in force."""
        ...

    def estate(self, digest: str | None = None) -> Estate | None:
        """Give the map in force, or the one with this digest; None when there is none."""
        ...

    def put_alerts(
        self,
        alerts: Sequence[Alert],
        *,
        notices: Sequence[Notice] = (),
        gone: Sequence[str] = (),
        tallies: Sequence[Tally] = (),
        now: datetime,
    ) -> None:
        """Replace what rules say, and keep the messages that tell of it, in one transaction.

        A notice whose id is known changes nothing; keys that are ``gone`` are removed; a tally replaces that of its
        budget and quarter of an hour. Who has acknowledged an alert stays with it for as long as it is open.
        """
        ...

    def alerts(self) -> Sequence[Alert]:
        """List what every rule says now, by key."""
        ...

    def acknowledge(self, key: str, *, by: str, now: datetime) -> Alert:
        """Note who looks after an open alert, until it recovers. Raises LookupError when it is not open."""
        ...

    def claim_notice(self, channel: str, *, holder: str, now: datetime) -> Notice | None:
        """Take the oldest message of a channel to hand it over; None when there is none or it has to wait.

        One that another process had taken was left by a crash: it is given again and counted as ``unsure``. Messages
        of a channel keep their order. ``holder`` must not take a second one before it has settled the first.
        """
        ...

    def settle_notice(
        self,
        notice_id: str,
        *,
        state: NoticeState,
        now: datetime,
        not_before: datetime | None = None,
        remark: str | None = None,
    ) -> None:
        """Say what became of a message: sent, given up, or waiting again, not before a time."""
        ...

    def notices(self, *, limit: int = 100) -> Sequence[Notice]:
        """List messages, those on their way before the others, the newest first."""
        ...

    def tallied(self, start: datetime, end: datetime) -> Sequence[Tally]:
        """Sum the counts of each error budget that begin in ``start`` to ``end``; each with its first such start."""
        ...

    def forget(self, site: str, *, now: datetime, dry_run: bool = False) -> Removed:
        """Take the evidence and the name of a site out of its verdicts, and remove what else is of it, with the bytes.

        That is: changes, what is said now, alerts and their messages, rates of drops, maps that name it, also the one
        in force. ``dry_run`` only counts. Agents and accounts stay: they are rights, not facts.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
