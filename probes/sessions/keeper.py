"""Keeps a session open as a user would over the working day: logs on, holds it, and logs on again when it was lost.

What happens is told as session events. A log-on that fails is no drop: it is told in the log only,
since walks measure log-ons.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from collector import secret
from collector.model.errors import SecretError, WhichlayerError
from collector.model.run import MEASURED, StepTiming
from collector.model.session import Kept, SessionEvent
from probes.account import Accounts, Use
from probes.driver import OpenDriver, WalkContext
from probes.sessions.held import HeldSession, Tempo, now
from probes.sessions.life import Held, Life
from probes.sessions.plan import PlannedSession
from probes.sessions.sentinel import LostSession, Sentinel
from probes.walk import Place, perform

LEASE_SECONDS = 900.0  # of the account: renewed well before, and free again soon after a crash
PATIENCE_SECONDS = 30.0  # how long a log-on waits for its account
TICK_SECONDS = 5.0  # how often the hours are looked at
_log = structlog.get_logger("whichlayer.keeper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What a keeper is given: where it stands, its accounts, its secrets now, and who takes its events."""

    place: Callable[[], Place]
    accounts: Accounts
    secrets: Callable[[], Mapping[str, str]]
    keep: Callable[[SessionEvent], None]


class Keeper:
    """Holds one session after the other, until it is told to stop."""

    def __init__(self, planned: PlannedSession, home: Home, tempo: Tempo | None = None) -> None:
        self._planned = planned
        self._home = home
        self._tempo = tempo or Tempo.of(planned.entry)
        entry = planned.entry.sentinel
        self._sentinel = Sentinel(planned, entry) if entry else None
        self._hours = planned.hours
        self._lost: LostSession | None = None
        self._renew_at = 0.0

    @property
    def name(self) -> str:
        """Give the journey that is held open."""
        return self._planned.journey.name

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; the session that is open then ends as planned."""
        while not stop.is_set():
            began = time.monotonic()
            if self._hours.open_at(datetime.now(UTC)):
                self._one(stop)
                stop.wait(max(began + self._tempo.again - time.monotonic(), 0.0))
            else:
                stop.wait(TICK_SECONDS)
        if self._lost is not None:
            self._tell(self._lost.told(now(), Kept.UNKNOWN, Kept.UNKNOWN))

    def _one(self, stop: threading.Event) -> None:
        """Hold one session, if its account may be used."""
        try:
            secrets = self._home.secrets()
        except SecretError as error:
            self._not_opened(str(error))
            return
        for value in secrets.values():
            secret.remember(value)
        patience = min(PATIENCE_SECONDS, self._tempo.again)
        with self._home.accounts.use(self._planned.entry.account, seconds=LEASE_SECONDS, patience=patience) as use:
            if use.refusal is not None:
                self._not_opened(use.reason)
                return
            self._renew_at = time.monotonic() + LEASE_SECONDS / 3
            self._with_account(use, secrets, stop)

    def _with_account(self, use: Use, secrets: Mapping[str, str], stop: threading.Event) -> None:
        journey = self._planned.journey
        given = {**journey.variables, **self._planned.entry.variables}
        context = WalkContext(
            run_id=uuid.uuid4().hex,
            journey=journey,
            values={name: value for name, value in given.items() if value is not None},
            secrets=secrets,
        )
        try:
            opened = self._planned.driver.open(context)
        except WhichlayerError as error:
            self._not_opened(str(error))
            return
        try:
            failed = self._log_on(opened)
            if failed is None:
                use.authenticated = True
                self._hold(opened, context, lambda seconds: self._wait(seconds, use, stop))
            else:
                use.authenticated = False if failed.error_kind == "authentication" else None
                self._not_opened(f"{failed.step}: {failed.error or failed.outcome}")
        finally:
            opened.close()

    def _log_on(self, opened: OpenDriver) -> StepTiming | None:
        """Do the steps that log on; gives the one that failed."""
        for step in self._planned.log_on:
            timing = perform(opened, step)
            if timing.outcome not in MEASURED:
                return timing
        return None

    def _hold(self, opened: OpenDriver, context: WalkContext, wait: Callable[[float], str | None]) -> None:
        place = self._home.place()
        held = Held(
            session_id=context.run_id,
            site=place.site,
            endpoint=place.endpoint,
            access=place.access,
            journey=self._planned.journey.name,
            environment=place.environment,
        )
        session = HeldSession(
            planned=self._planned,
            tempo=self._tempo,
            opened=opened,
            context=context,
            life=Life(held=held, started=now(), grace=self._tempo.grace),
            keep=self._home.keep,
            sentinel=self._sentinel,
        )
        if self._lost is not None and self._sentinel is not None:
            self._tell(self._sentinel.read_back(opened, self._lost, now()))
        self._lost = session.hold(wait)

    def _wait(self, seconds: float, use: Use, stop: threading.Event) -> str | None:
        until = time.monotonic() + seconds
        while True:
            if stop.is_set():
                return "the agent was stopped"
            if not self._hours.open_at(datetime.now(UTC)):
                return "the hours are over"
            if not self._account_is_ours(use):
                return f"account {use.account} may no longer be used: paused, or taken by another agent"
            left = until - time.monotonic()
            if left <= 0:
                return None
            stop.wait(min(left, TICK_SECONDS))

    def _account_is_ours(self, use: Use) -> bool:
        if time.monotonic() < self._renew_at:
            return True
        self._renew_at = time.monotonic() + LEASE_SECONDS / 3
        return self._home.accounts.keep(use, seconds=LEASE_SECONDS)

    def _tell(self, event: SessionEvent | None) -> None:
        if event is not None:
            self._home.keep(event)

    def _not_opened(self, reason: str) -> None:
        _log.warning("no session could be opened", journey=self.name, reason=reason)
