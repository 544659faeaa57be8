"""Hands messages over, one channel at a time and in order, until each is taken or given up.

A message is claimed in one transaction, handed over, and settled in another. A crash before the claim or after the
settling changes nothing. Between them nobody can know whether the other side took it: it is handed over again, under
the same id (Message-ID, webhook-id), and counted as unsure. So nothing is lost, and what comes twice can be told.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from collector.model.alert import Notice, NoticeState
from collector.model.errors import NotifyError
from collector.notifier import OpenNotifier
from collector.registry import Registry
from collector.secret import hide

_LOG = structlog.get_logger("whichlayer.alerts")
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_ASKED = timedelta(hours=6)
_REMARK = 200


@dataclass(slots=True, kw_only=True)
class Sender:
    """One channel. ``holder`` is new with each process, so that what a crash left is seen as left."""

    registry: Registry
    channel: str
    notifier: OpenNotifier
    give_up_after: timedelta
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    holder: str = field(default_factory=lambda: secrets.token_hex(8))

    def __call__(self) -> None:
        """Hand over what is due."""
        while (notice := self.registry.claim_notice(self.channel, holder=self.holder, now=self.clock())) is not None:
            if not self._hand_over(notice):
                return

    def _hand_over(self, notice: Notice) -> bool:
        """Say whether the next one may follow at once."""
        if self.clock() - notice.created_at > self.give_up_after:
            return self._give_up(notice, "too old by now")
        try:
            remark = self.notifier.send(notice)
        except NotifyError as error:
            reason = hide(str(error))[:_REMARK]
            return self._give_up(notice, reason) if error.permanent else self._later(notice, reason, error.retry_after)
        except Exception as error:  # noqa: BLE001  a mistake of ours must not lose the message
            return self._later(notice, f"a mistake in this program ({type(error).__name__})", None)
        self._settle(notice, NoticeState.SENT, remark)
        _LOG.info("alert told", channel=self.channel, notice=notice.notice_id, kind=str(notice.message.kind))
        return True

    def _give_up(self, notice: Notice, reason: str) -> bool:
        self._settle(notice, NoticeState.GIVEN_UP, reason)
        _LOG.error("alert could not be told", channel=self.channel, notice=notice.notice_id, reason=reason)
        return True

    def _later(self, notice: Notice, reason: str, asked: float | None) -> bool:
        pause = min(_FIRST_PAUSE * 2 ** min(notice.attempts - 1, 10), _LONGEST_PAUSE)
        if asked is not None:
            pause = max(pause, min(timedelta(seconds=asked), _LONGEST_ASKED))
        at = self.clock() + pause
        self.registry.settle_notice(
            notice.notice_id, state=NoticeState.WAITING, now=self.clock(), not_before=at, remark=reason
        )
        again = f"in {pause.total_seconds():.0f} s"
        _LOG.warning("alert not told yet", channel=self.channel, reason=reason, again=again)
        return False

    def _settle(self, notice: Notice, state: NoticeState, remark: str | None) -> None:
        self.registry.settle_notice(notice.notice_id, state=state, now=self.clock(), remark=remark)
