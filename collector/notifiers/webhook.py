"""A webhook: JSON by POST, signed as Standard Webhooks has it, told to wait by Retry-After, never led elsewhere."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from pydantic import Field, field_validator

from collector.document import Document, Seconds, validate
from collector.model.alert import Notice, public
from collector.model.errors import NotifyError
from collector.secret import resolve
from collector.settings import is_loopback

_REFERENCES = ("env:", "file:", "keyring:")
_BODY_REFUSED = {400, 413, 415, 422}  # the same body will be refused again
_BUSY = {408, 425, 429}


class WebhookSettings(Document):
    """Settings of one ``webhook`` channel."""

    url: str = Field(description="address, or a secret reference to it where the address itself is a secret")
    secret: str | None = Field(default=None, description="secret reference of the key that signs what is sent")
    token: str | None = Field(default=None, description="secret reference of a bearer token")
    timeout: Seconds = Field(default=15.0, ge=1, le=120, description="how long the other side may take")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return value if value.startswith(_REFERENCES) else _checked(value)


class _Webhook:
    def open(self, settings: Mapping[str, Any]) -> "OpenWebhook":
        """Open with WebhookSettings. Raises ConfigError and SecretError."""
        checked = validate(settings, WebhookSettings, file="alerts.to")
        url = checked.url
        if url.startswith(_REFERENCES):
            try:
                url = _checked(resolve(url))
            except ValueError as error:
                raise NotifyError(f"what {checked.url} holds {error}") from None
        return OpenWebhook(
            url=url,
            secret=resolve(checked.secret) if checked.secret else None,
            token=resolve(checked.token) if checked.token else None,
            timeout=checked.timeout,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWebhook:
    """One POST per attempt; the address is in no error."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    timeout: float = 15.0

    def send(self, notice: Notice) -> str | None:
        """Post a message under its id; 2xx is taken. Raises NotifyError."""
        body = json.dumps(public(notice.message, notice.notice_id), ensure_ascii=False).encode()
        headers = self._headers(notice.notice_id, body)
        try:
            with httpx2.Client(trust_env=False, follow_redirects=False, timeout=self.timeout) as client:
                request = client.build_request("POST", self.url, content=body, headers=headers)
                answer = client.send(request, stream=True)  # nothing of what it answers is read
                answer.close()
        except httpx2.HTTPError as error:
            raise NotifyError(f"the webhook does not answer ({type(error).__name__})") from None
        if not answer.is_success:
            raise _refusal(answer)
        return None

    def _headers(self, notice_id: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        found = {
            "Content-Type": "application/json",
            "User-Agent": "whichlayer",
            "Idempotency-Key": notice_id,
            "webhook-id": notice_id,
            "webhook-timestamp": now,
        }
        if self.secret is not None:
            found["webhook-signature"] = signature(self.secret, notice_id, now, body)
        if self.token is not None:
            found["Authorization"] = f"Bearer {self.token}"
        return found


def signature(secret: str, notice_id: str, timestamp: str, body: bytes) -> str:
    """Sign id, time and body; ``secret`` is text, or ``whsec_`` and base64 of the key."""
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed = hmac.new(key, f"{notice_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _checked(url: str) -> str:
    try:
        parts = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ValueError("is not an address: write one like https://host/path") from None
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.host)):
        return url
    raise ValueError("must be an https address; http only to this machine")


def _refusal(answer: httpx2.Response) -> NotifyError:
    code = answer.status_code
    if answer.is_redirect:
        return NotifyError(f"the webhook answers {code}, an address elsewhere, which is not followed: correct the url")
    wait = _retry_after(answer.headers.get("retry-after")) if code in _BUSY or answer.is_server_error else None
    return NotifyError(f"the webhook answers {code}", permanent=code in _BODY_REFUSED, retry_after=wait)


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


PLUGIN = _Webhook()
