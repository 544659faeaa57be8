"""Rules about the accounts journeys sign in with: never two runs at once, never a third wrong password.

Real systems lock an account after a few wrong passwords, and a locked account is a person's bad day.
The collector knows every agent's failures and pauses an account after two in a row. While it cannot be
reached, one failure seen here is enough: the next sign-in waits until the collector has heard of it.
An agent without a collector pauses by itself after two.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from collector.model.run import MEASURED, Run
from probes.doors import DoorError, Doors, Lease
from probes.journey.file import Journey
from probes.lock import held

FAILURES_ALONE = 2  # without any collector
FAILURES_UNHEARD = 1  # while the collector cannot be reached
_LEASE_POLL_SECONDS = 2.0
_log = structlog.get_logger("whichlayer.account")


class Refusal(StrEnum):
    """Why an account may not be used now; the word a run carries as ``error_kind``."""

    PAUSED = "account_paused"
    BUSY = "account_busy"
    UNHEARD = "account_unheard"


@dataclass(slots=True, kw_only=True)
class Use:
    """One use of an account. Nothing is sent when ``refusal`` is set; ``reason`` says it for people."""

    account: str
    refusal: Refusal | None = None
    reason: str = ""
    authenticated: bool | None = None
    leased: bool = False


class Accounts:
    """The accounts of one agent; what must survive a restart is in ``folder``."""

    def __init__(self, folder: Path, doors: Doors | None) -> None:
        for private in (folder.parent, folder):  # parents made on the way would be open to others
            private.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._doors = doors
        self._ungiven: set[str] = set()

    @contextmanager
    def use(self, account: str, *, seconds: float, patience: float) -> Iterator[Use]:
        """Hold ``account`` for a run of at most ``seconds``; wait up to ``patience`` for others to finish.

        Set ``authenticated`` on what is given before leaving.
        """
        until = time.monotonic() + patience
        with held(self._folder / f"{account}.lock", patience) as locked:
            use = Use(account=account)
            if not locked:
                yield _refuse(use, Refusal.BUSY, f"account {account} was in use on this machine for {patience:.0f} s")
                return
            use.leased = self._lease(use, seconds, until)
            try:
                yield use
            finally:
                if use.refusal is None:
                    self._give_back(use)

    def keep(self, use: Use, *, seconds: float) -> bool:
        """Keep an account in use for ``seconds`` from now; False when it is no longer ours.

        A collector that cannot be reached takes nothing away: on this machine the lock still holds.
        """
        if self._doors is None:
            return True
        try:
            state = self._doors.lease(use.account, seconds=seconds, renew=True)
        except DoorError as error:
            _log.warning("an account in use could not be kept", account=use.account, reason=str(error))
            return True
        use.leased = state is Lease.GRANTED
        return use.leased

    def failures(self, account: str) -> int:
        """Count the failed sign-ins the collector has not heard of."""
        try:
            return int(self._unheard(account).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def forget(self, account: str) -> None:
        """Let a person say that the account is fine again, for an agent without a collector."""
        self._unheard(account).unlink(missing_ok=True)

    def _lease(self, use: Use, seconds: float, until: float) -> bool:
        """Ask the collector, or judge alone; gives whether the collector granted it."""
        failures = self.failures(use.account)
        if self._doors is None:
            if failures >= FAILURES_ALONE:
                _refuse(use, Refusal.PAUSED, f"account {use.account} is paused after {failures} failed sign-ins: "
                        f"check its password, then run whichlayer agent resume {use.account}")  # fmt: skip
            return False
        try:
            state = self._ask(self._doors, use.account, seconds, until)
        except DoorError as error:
            _log.warning("account used without asking the collector", account=use.account, reason=str(error))
            if failures >= FAILURES_UNHEARD:
                _refuse(use, Refusal.UNHEARD, f"account {use.account}: the last sign-in failed and the collector "
                        "cannot be reached, so it is not tried again")  # fmt: skip
            return False
        if state is Lease.PAUSED:
            _refuse(use, Refusal.PAUSED, f"account {use.account} is paused after two failed sign-ins: check its "
                    f"password, then run whichlayer account resume {use.account} at the collector")  # fmt: skip
        elif state is Lease.BUSY:
            _refuse(use, Refusal.BUSY, f"account {use.account} was in use by another agent for the whole slot")
        return state is Lease.GRANTED

    def _ask(self, doors: Doors, account: str, seconds: float, until: float) -> Lease:
        """Get a lease, after telling what the collector has not heard yet."""
        if self._tell(doors, account) is Lease.PAUSED:
            return Lease.PAUSED
        while (state := doors.lease(account, seconds=seconds)) is Lease.BUSY:
            if time.monotonic() + _LEASE_POLL_SECONDS > until:
                break
            time.sleep(_LEASE_POLL_SECONDS)
        return state

    def _tell(self, doors: Doors, account: str) -> Lease:
        """Give back what could not be given back, with the failures seen meanwhile."""
        state = Lease.GRANTED
        while unheard := self.failures(account):
            state = doors.release(account, authenticated=False)
            self._write(account, unheard - 1)
            self._ungiven.discard(account)
        if account in self._ungiven:
            state = doors.release(account, authenticated=None)
            self._ungiven.discard(account)
        return state

    def _give_back(self, use: Use) -> None:
        """Write a failure down before telling it: a crash in between must not lose it."""
        failures = self.failures(use.account)
        if use.authenticated is False:
            failures += 1
            self._write(use.account, failures)
        elif use.authenticated and self._doors is None:
            self.forget(use.account)
        if not use.leased or self._doors is None:
            return
        try:
            state = self._doors.release(use.account, authenticated=use.authenticated)
        except DoorError as error:
            _log.warning("the collector did not hear how signing in went", account=use.account, reason=str(error))
            self._ungiven.add(use.account)
            return
        self.forget(use.account)
        if state is Lease.PAUSED:
            _log.error("account paused after two failed sign-ins: a person must resume it", account=use.account)

    def _write(self, account: str, failures: int) -> None:
        path = self._unheard(account)
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(str(failures))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def _unheard(self, account: str) -> Path:
        return self._folder / f"{account}.failures"


def authenticated(journey: Journey, run: Run) -> bool | None:
    """Say what a run tells about its account: signed in, refused, or nothing."""
    if any(step.error_kind == "authentication" for step in run.steps):
        return False
    signing_in = {step.step for step in journey.steps if step.sign_in}
    worked = any(step.step in signing_in and step.outcome in MEASURED for step in run.steps)
    return True if worked else None


def _refuse(use: Use, refusal: Refusal, reason: str) -> Use:
    use.refusal, use.reason = refusal, reason
    return use
