"""The contract of a channel that alerts are told over."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from collector.model.alert import Notice


@runtime_checkable
class OpenNotifier(Protocol):
    """A channel that is open: it knows where to and with which secret."""

    def send(self, notice: Notice) -> str | None:
        """Hand one message over, under ``notice.notice_id``; give a remark when not all of it arrived.

        Returns only when the other side has taken it. Raises NotifyError, never with a secret or an address in it
        that may hold one; other exceptions mean a mistake of ours.
        """
        ...


@runtime_checkable
class Notifier(Protocol):
    """A kind of channel: ``PLUGIN`` of a module in ``collector/notifiers/``."""

    def open(self, settings: Mapping[str, Any]) -> OpenNotifier:
        """Open with the settings of one entry of ``alerts.to``. Raises ConfigError and SecretError."""
        ...
