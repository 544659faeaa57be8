"""Any service that Apprise knows (Teams, Slack, ntfy, SMS gateways …), by its address, which is a secret."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from collector.document import Document, validate
from collector.model.alert import AlertState, Notice
from collector.model.errors import NotifyError, PluginError
from collector.secret import resolve

_TYPES = {AlertState.OK: "success", AlertState.WARNING: "warning", AlertState.CRITICAL: "failure"}


class AppriseSettings(Document):
    """Settings of one ``apprise`` channel."""

    url: str = Field(description="secret reference of the address that Apprise wants: it holds a token")


class _Apprise:
    def open(self, settings: Mapping[str, Any]) -> "OpenApprise":
        """Open with AppriseSettings. Raises ConfigError, SecretError, and PluginError without the library."""
        checked = validate(settings, AppriseSettings, file="alerts.to")
        try:
            import apprise  # noqa: PLC0415  a library that few need
        except ModuleNotFoundError:
            raise PluginError("'apprise' needs the package 'apprise': install whichlayer[notify]") from None
        for name in ("apprise", "urllib3"):  # they write addresses into the log
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        service = apprise.Apprise()
        if not service.add(resolve(checked.url)):
            raise NotifyError(f"what {checked.url} holds is no address that Apprise knows")
        return OpenApprise(service=service)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApprise:
    """Apprise says yes or no, and why only in its log, where addresses are: so no reason is kept."""

    service: Any

    def send(self, notice: Notice) -> str | None:
        """Hand a message over. Raises NotifyError. A service that knows no ids may show a repeated one twice."""
        message = notice.message
        try:
            taken = self.service.notify(
                title=message.title,
                body=message.text,
                notify_type=_TYPES.get(message.state, "info"),
                body_format="text",
            )
        except Exception as error:  # noqa: BLE001  its text may hold the address
            raise NotifyError(f"the service could not be used ({type(error).__name__})") from None
        if not taken:
            raise NotifyError("the service did not take the message")
        return None


PLUGIN = _Apprise()
