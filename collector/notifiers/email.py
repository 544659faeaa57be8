"""E-mail over SMTP: STARTTLS or TLS, text and HTML, the same Message-ID at every attempt."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup
from pydantic import Field, model_validator

from collector.document import Document, Seconds, validate
from collector.model.alert import AlertState, Message, Notice
from collector.model.errors import NotifyError
from collector.secret import resolve
from collector.settings import is_loopback

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_PERMANENT = range(500, 600)
_SIGN_IN = {530, 534, 535, 538}  # a password that is put right later is no reason to lose the message
_COLOUR = {AlertState.CRITICAL: "#a3142b", AlertState.WARNING: "#8a4700", AlertState.OK: "#1a6a3c"}
_PAGE = Markup(
    '<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:44rem">'
    '<h1 style="font-size:1.15rem;border-left:.3rem solid {colour};padding-left:.6rem">{title}</h1>{parts}'
    "</body></html>"
)


class EmailSettings(Document):
    """Settings of one ``email`` channel."""

    host: str = Field(min_length=1, description="mail server")
    port: int | None = Field(default=None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="none only without a password")
    ca: Path | None = Field(default=None, description="PEM file of the authority that signed its certificate")
    user: str | None = Field(default=None, description="user name, where the server asks for one")
    password: str | None = Field(default=None, description="secret reference: keyring:…, file:… or env:…")
    sender: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$", description="address it comes from")
    to: tuple[str, ...] = Field(min_length=1, description="addresses it goes to")
    timeout: Seconds = Field(default=20.0, ge=1, le=120, description="how long the server may take for one answer")

    @model_validator(mode="after")
    def _password_is_safe(self) -> "EmailSettings":
        if (self.user is None) != (self.password is None):
            raise ValueError("needs user and password, or neither")
        if self.security == "none" and self.password is not None and not is_loopback(self.host):
            raise ValueError("would send the password in the clear: set security to starttls or tls")
        return self


class _Email:
    def open(self, settings: Mapping[str, Any]) -> "OpenEmail":
        """Open with EmailSettings. Raises ConfigError and SecretError."""
        checked = validate(settings, EmailSettings, file="alerts.to")
        return OpenEmail(settings=checked, password=resolve(checked.password) if checked.password else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEmail:
    """Each message has a connection of its own: there are few, and servers end idle ones."""

    settings: EmailSettings
    password: str | None = None

    def send(self, notice: Notice) -> str | None:
        """Hand a message to the server; once it has said 250 it is the server's. Raises NotifyError."""
        mail = written(notice, self.settings)
        try:
            with self._connected() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = sorted({code for code, _ in refusal.recipients.values()})
            words = ", ".join(map(str, codes))
            permanent = all(code in _PERMANENT for code in codes)
            raise NotifyError(f"the mail server takes none of the addresses ({words})", permanent=permanent) from None
        except smtplib.SMTPResponseException as answer:
            raise _refusal(answer) from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotifyError(f"the mail server cannot be used: {_kind(error)}") from None
        if refused:
            return f"{len(refused)} of {len(self.settings.to)} addresses were refused by the mail server"
        return None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        chosen = self.settings
        port, timeout = chosen.port or _PORTS[chosen.security], chosen.timeout
        context = ssl.create_default_context(cafile=chosen.ca) if chosen.security != "none" else None
        if chosen.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(chosen.host, port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(chosen.host, port, timeout=timeout)
        try:
            if chosen.security == "starttls":
                server.starttls(context=context)
            if chosen.user is not None and self.password is not None:
                server.login(chosen.user, self.password)
            yield server
        finally:
            server.close()  # QUIT says nothing that is needed: what the server has said 250 to is its own


def written(notice: Notice, settings: EmailSettings) -> EmailMessage:
    """Write the mail. Its Message-ID is made of the notice's id, so who gets it twice can tell."""
    message = notice.message
    domain = settings.sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = Address("whichlayer", addr_spec=settings.sender)
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = format_datetime(notice.created_at)
    mail["Message-ID"] = f"<{notice.notice_id}@{domain}>"
    mail["References"] = f"<{message.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Whichlayer-State"] = str(message.state)
    mail.set_content(message.text)
    mail.add_alternative(html(message), subtype="html")
    return mail


def html(message: Message) -> str:
    """Give a message as a page; everything that came from outside is escaped."""
    parts = Markup("")
    for told in message.told:
        lines = Markup("").join(Markup("<p>{}</p>").format(line) for line in told.lines)
        link = Markup('<p><a href="{0}">{0}</a></p>').format(told.url) if told.url else Markup("")
        parts += lines + link
    return str(_PAGE.format(colour=_COLOUR.get(message.state, "#525d6b"), title=message.title, parts=parts))


def _refusal(answer: smtplib.SMTPResponseException) -> NotifyError:
    """Say what the server said by its number: its words may repeat what we sent."""
    code = answer.smtp_code
    if code in _SIGN_IN:
        return NotifyError(f"the mail server refuses the user name or password ({code})")
    permanent = isinstance(answer, smtplib.SMTPDataError) and code in _PERMANENT
    return NotifyError(f"the mail server refuses the message ({code})", permanent=permanent)


def _kind(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it does not offer what is asked for (STARTTLS, or signing in)"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


PLUGIN = _Email()
