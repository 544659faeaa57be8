"""Sends what the outbox keeps, in order, until the collector has said yes to each batch."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import stamina
import stamina.instrumentation
import structlog

from probes.agent import wire
from probes.agent.outbox import Batch, Loss, Outbox
from probes.doors import DoorError, Doors

PERIOD_SECONDS = 10.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 20.0
LONGEST_ASKED_SECONDS = 300.0  # a Retry-After beyond this is not believed
_ATTEMPTS = 50  # of one batch, before the log says again that it waits
_NEVER = frozenset({400, 409, 413, 415, 422})  # about this batch: asking again cannot help; 404 is about the address
_log = structlog.get_logger("whichlayer.delivery")

stamina.instrumentation.set_on_retry_hooks([])  # its own hooks import prometheus_client: 11 MB nobody asked for


class Standing(StrEnum):
    """How sending goes."""

    FINE = "fine"
    WAITING = "waiting"  # not reached, or asked to come back
    UNAUTHORISED = "unauthorised"  # the token is not accepted: a person must enrol this agent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: the doors, with the token that was given to ``agent_id``."""

    agent_id: str
    doors: Doors


class Delivery:
    """A thread that empties the outbox. It never throws data away because sending fails."""

    def __init__(self, outbox: Outbox, sender: Callable[[], Sender], *, describe_loss: Callable[[Loss], str]) -> None:
        """Send with what ``sender`` gives at that time: enrolling again takes effect without a restart."""
        self._outbox = outbox
        self._sender = sender
        self._describe_loss = describe_loss
        self._wake = threading.Event()
        self._stopping = False
        self._end = math.inf
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._refused_token_of: Sender | None = None
        self.standing = Standing.FINE

    def start(self) -> None:
        """Begin; a daemon thread, so that a waiting request never holds up the end of the agent."""
        self._thread.start()

    def wake(self) -> None:
        """Send soon: something people wait for was put into the outbox."""
        self._wake.set()

    def stop(self, *, wait_seconds: float) -> None:
        """Send what is there once more, if it can be done in time. What is not sent stays in the outbox."""
        self._end = time.monotonic() + wait_seconds
        self._stopping = True
        self._wake.set()
        self._thread.join(wait_seconds)

    def send_all(self) -> int:
        """Send batch after batch until nothing waits; give how many rows were taken. Raises DoorError."""
        sender, rows = self._sender(), 0
        if sender == self._refused_token_of:
            return rows
        while time.monotonic() < self._end and (batch := self._outbox.seal(sender.agent_id)):
            if not self._send(batch, sender):
                break
            rows += len(batch.rows)
            self._tell_losses()
        return rows

    def _tell_losses(self) -> None:
        """Put what was dropped into the outbox, now that there is room: telling must not drop more."""
        for loss in self._outbox.report_losses(self._describe_loss):
            times = {"first": loss.first.isoformat(), "last": loss.last.isoformat()}
            _log.warning("data lost: the outbox was full, or the disk", kind=loss.kind, rows=loss.rows, **times)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(PERIOD_SECONDS)
            self._wake.clear()
            try:
                self._send_patiently()
            except DoorError as error:
                _log.warning("the collector does not take data: kept on this machine", reason=str(error))
            except Exception:  # noqa: BLE001  a bug here must not end sending for good
                _log.exception("sending failed: kept on this machine, tried again")

    def _send_patiently(self) -> None:
        for attempt in stamina.retry_context(
            on=self._wait,
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_WAIT_SECONDS,
            wait_max=LONGEST_WAIT_SECONDS,
            wait_jitter=FIRST_WAIT_SECONDS,
        ):
            with attempt:
                self.send_all()

    def _wait(self, error: Exception) -> bool | float:
        """Say whether, and after how long, to try again."""
        if self._stopping or not isinstance(error, DoorError):
            return False
        if self.standing is Standing.FINE:
            _log.warning("the collector does not take data: kept, tried again", reason=str(error))
        self.standing = Standing.WAITING
        return True if error.retry_after is None else min(error.retry_after, LONGEST_ASKED_SECONDS)

    def _send(self, batch: Batch, sender: Sender) -> bool:
        """Send one batch; False when this sender need not try again."""
        content = wire.body(batch, now=datetime.now(UTC))
        started = time.perf_counter()
        try:
            sender.doors.send(batch.kind, content)
        except DoorError as error:
            return self._not_taken(batch, sender, error)
        if self.standing is not Standing.FINE:
            _log.info("the collector takes data again")
        self.standing = Standing.FINE
        self._outbox.done(batch)
        _log.debug("sent", kind=batch.kind, rows=len(batch.rows), seconds=round(time.perf_counter() - started, 4))
        return True

    def _not_taken(self, batch: Batch, sender: Sender, error: DoorError) -> bool:
        if error.status in (401, 403):
            self.standing = Standing.UNAUTHORISED
            self._refused_token_of = sender
            _log.error(
                "the collector does not accept this agent's token: run whichlayer agent enrol", reason=str(error)
            )
            return False
        if error.status in _NEVER:
            path = self._outbox.refuse(batch, str(error))
            _log.error(
                "the collector refuses a batch: set aside", rows=len(batch.rows), file=str(path), reason=str(error)
            )
            return True
        raise error
