"""The calls about alerts of the registry that another process holds."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from collector.model.alert import Alert, Notice, NoticeState, Tally


class RemoteAlerts(ABC):
    """Each call as it is; ``_call`` sends it."""

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
        self._call("put_alerts", alerts, notices=notices, gone=gone, tallies=tallies, now=now)

    def alerts(self) -> Sequence[Alert]:
        """List what every rule says now, by key."""
        found: Sequence[Alert] = self._call("alerts")
        return found

    def acknowledge(self, key: str, *, by: str, now: datetime) -> Alert:
        """See ``Registry.acknowledge``."""
        alert: Alert = self._call("acknowledge", key, by=by, now=now)
        return alert

    def claim_notice(self, channel: str, *, holder: str, now: datetime) -> Notice | None:
        """See ``Registry.claim_notice``."""
        notice: Notice | None = self._call("claim_notice", channel, holder=holder, now=now)
        return notice

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
        self._call("settle_notice", notice_id, state=state, now=now, not_before=not_before, remark=remark)

    def notices(self, *, limit: int = 100) -> Sequence[Notice]:
        """List messages, those on their way before the others, the newest first."""
        found: Sequence[Notice] = self._call("notices", limit=limit)
        return found

    def tallied(self, start: datetime, end: datetime) -> Sequence[Tally]:
        """See ``Registry.tallied``."""
        found: Sequence[Tally] = self._call("tallied", start, end)
        return found

    @abstractmethod
    def _call(self, operation: str, *args: object, **named: object) -> Any:  # noqa: ANN401  each caller knows
        """Send one operation, and give what came back."""
