"""The registry of the owner process, for the other commands of the same machine."""

import ssl
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2

from collector.model.change import Change
from collector.model.drops import DropReport
from collector.model.errors import RejectedBatch, StoreError
from collector.model.estate import Estate
from collector.model.judged import Judged
from collector.model.verdict import Verdict
from collector.registries._remote_alerts import RemoteAlerts
from collector.registries._wire import ANSWERS, ARGUMENTS, OPERATIONS
from collector.registry import Account, Agent, Credentials, LeaseState, Removed, Scope

_TIMEOUT_SECONDS = 30.0


class RemoteRegistry(RemoteAlerts):
    """Sends each call to ``/v1/registry/NAME`` with the operator's token. Safe to use from many threads."""

    def __init__(
        self, url: str, token: str, *, certificate: Path | None = None, client: httpx2.Client | None = None
    ) -> None:
        """Connect to the owner at ``url``, who shows ``certificate``; ``client`` replaces the one made here."""
        verify = True if certificate is None else pinned(certificate)
        self._client = client or httpx2.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False, verify=verify)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def invite(self, endpoint: str, *, scope: Scope, now: datetime) -> str:
        """Make a one-time enrolment code for ``endpoint``, good for 24 hours."""
        code: str = self._call("invite", endpoint, scope=scope, now=now)
        return code

    def enrol(self, code: str, *, now: datetime, endpoint: str | None = None) -> Credentials | None:
        """See ``Registry.enrol``."""
        given: Credentials | None = self._call("enrol", code, now=now, endpoint=endpoint)
        return given

    def agent_of(self, token: str) -> Agent | None:
        """Find who holds ``token``; None when unknown or revoked."""
        agent: Agent | None = self._call("agent_of", token)
        return agent

    def agents(self) -> Sequence[Agent]:
        """List all agents, by endpoint."""
        found: Sequence[Agent] = self._call("agents")
        return found

    def revoke(self, agent_id: str, *, now: datetime) -> None:
        """Refuse this agent from now on. Raises LookupError when unknown."""
        self._call("revoke", agent_id, now=now)

    def seen(self, agent_id: str, *, now: datetime, skew_seconds: float | None, version: str | None) -> None:
        """Note that an agent was heard."""
        self._call("seen", agent_id, now=now, skew_seconds=skew_seconds, version=version)

    def lease(self, account: str, *, holder: str, until: datetime, now: datetime, renew: bool = False) -> LeaseState:
        """Ask to use an account: never two runs of one account at once, none while it is paused."""
        state: LeaseState = self._call("lease", account, holder=holder, until=until, now=now, renew=renew)
        return state

    def release(self, account: str, *, holder: str, authenticated: bool | None, now: datetime) -> LeaseState:
        """Give an account back. ``authenticated`` False counts, True clears, None says nothing."""
        state: LeaseState = self._call("release", account, holder=holder, authenticated=authenticated, now=now)
        return state

    def resume(self, account: str) -> None:
        """Let a paused account be used again. Raises LookupError when unknown."""
        self._call("resume", account)

    def accounts(self) -> Sequence[Account]:
        """List accounts, by name."""
        found: Sequence[Account] = self._call("accounts")
        return found

    def add_changes(self, batch_id: str, changes: Sequence[Change], *, replace: bool = True) -> bool:
        """See ``Registry.add_changes``."""
        new: bool = self._call("add_changes", batch_id, changes, replace=replace)
        return new

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """List changes that overlap the period, by start."""
        found: Sequence[Change] = self._call("changes", start, end)
        return found

    def put_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Keep verdicts as immutable versions; the same id and version again changes nothing."""
        self._call("put_verdicts", verdicts)

    def verdicts(self, start: datetime, end: datetime, *, limit: int = 500) -> Sequence[Verdict]:
        """List the latest version of each slow or failing verdict that overlaps the period, newest first."""
        found: Sequence[Verdict] = self._call("verdicts", start, end, limit=limit)
        return found

    def verdict(self, verdict_id: str, version: int | None = None) -> Verdict | None:
        """Give one verdict, its latest version unless told."""
        found: Verdict | None = self._call("verdict", verdict_id, version)
        return found

    def put_standing(self, verdicts: Sequence[Verdict]) -> None:
        """Replace what is said now of each journey step and population (any status)."""
        self._call("put_standing", verdicts)

    def standing(self) -> Sequence[Verdict]:
        """List what is said now, by journey, step, population and reference."""
        found: Sequence[Verdict] = self._call("standing")
        return found

    def put_drops(self, report: DropReport) -> None:
        """Replace what was counted of sessions held open."""
        self._call("put_drops", report)

    def drops(self) -> DropReport | None:
        """Give what was counted last of sessions held open; None when nothing was counted yet."""
        found: DropReport | None = self._call("drops")
        return found

    def put_judged(self, judged: Judged) -> None:
        """Replace how far the regular analysis has looked."""
        self._call("put_judged", judged)

    def judged(self) -> Judged | None:
        """Give how far the regular analysis has looked; None when it never did."""
        found: Judged | None = self._call("judged")
        return found

    def put_estate(self, estate: Estate | None) -> None:
        """Keep a map of the estate and make it the one in force; None puts none in force."""
        self._call("put_estate", estate)

    def estate(self, digest: str | None = None) -> Estate | None:
        """Give the map in force, or the one with this digest; None when there is none."""
        found: Estate | None = self._call("estate", digest)
        return found

    def forget(self, site: str, *, now: datetime, dry_run: bool = False) -> Removed:
        """See ``Registry.forget``."""
        removed: Removed = self._call("forget", site, now=now, dry_run=dry_run)
        return removed

    def _call(self, operation: str, *args: object, **named: object) -> Any:  # noqa: ANN401  each caller knows
        bound = OPERATIONS[operation].bind(self, *args, **named)
        bound.apply_defaults()
        bound.arguments.pop("self")
        shape = ARGUMENTS[operation]
        body = shape.dump_json(shape.validate_python(bound.arguments))
        try:
            answer = self._client.post(f"/v1/registry/{operation}", content=body, headers=self._headers)
        except httpx2.HTTPError as error:
            raise StoreError(f"the collector does not answer ({type(error).__name__}): is whichlayer up?") from None
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise LookupError(_detail(answer))
        if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise _refusal(operation, answer)
        if answer.status_code != HTTPStatus.OK:
            raise StoreError(f"the collector refused {operation} with {answer.status_code}: {_detail(answer)}")
        return ANSWERS[operation].validate_json(answer.content)


def pinned(certificate: Path) -> ssl.SSLContext:
    """Trust exactly this certificate, whatever name it carries: the owner's own, reached over loopback."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # without the authority that signed it
    return context


def _refusal(operation: str, answer: httpx2.Response) -> Exception:
    """Give the error the registry itself raised: of a batch, or of an argument."""
    if operation == "add_changes":
        return RejectedBatch(_detail(answer), field=answer.json().get("field"))
    return ValueError(_detail(answer))


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))
    except ValueError:
        return ""
