"""Every channel against a real server: what arrives, what is refused, and that no secret shows."""

import json
import logging
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from collector.model.alert import Notice, NoticeState
from collector.model.errors import ConfigError, NotifyError
from collector.notifiers import apprise, email, webhook
from collector.notifiers.webhook import signature
from collector.notify import Sender
from collector.registries.database import DatabaseRegistry
from tests.browser.scene import HOSTILE
from tests.doubles.mail import Mailbox, mailbox
from tests.doubles.receiver import Receiver, receiver
from tests.worlds.alerts import NOW, message, notice

pytestmark = pytest.mark.integration
CANARY = "canary-5f1c"


@pytest.fixture(scope="module")
def mail(authority: trustme.CA) -> Iterator[Mailbox]:
    """A server that wants STARTTLS and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with mailbox(context) as box:
        yield box


@pytest.fixture(scope="module")
def http() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def settings(box: Mailbox, ca: Path, **changed: object) -> dict[str, Any]:
    base = {"host": "localhost", "port": box.port, "ca": ca, "sender": "alerts@council.test", "to": ["it@council.test"]}
    return base | {"user": "alerts", "password": "env:MAIL_PASSWORD"} | changed


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_mail_arrives_over_starttls_with_a_password(
    mail: Mailbox, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    channel = email.PLUGIN.open(settings(mail, ca_file, to=["it@council.test", "nobody@council.test"]))
    sent = notice(title=f"critical: {HOSTILE}\nBcc: other@council.test")
    assert channel.send(sent) == "1 of 2 addresses were refused by the mail server"
    channel.send(sent)
    first, second = mail.mails[-2:]
    assert first["Message-ID"] == second["Message-ID"] == f"<{sent.notice_id}@council.test>"
    assert mail.signed_in[-1] == ("alerts", "correct horse")
    assert first["Bcc"] is None
    assert first["Auto-Submitted"] == "auto-generated"
    assert "4 of the last 5 runs were bad." in part(first, "plain")
    page = part(first, "html")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'href="http://pages.test/why/v"' in page


def test_a_mail_that_is_refused_says_why_and_no_secret(
    mail: Mailbox, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", CANARY)
    with pytest.raises(NotifyError, match="refuses the user name or password") as wrong:
        email.PLUGIN.open(settings(mail, ca_file)).send(notice())
    assert not wrong.value.permanent
    assert CANARY not in repr(wrong.getrepr())
    with pytest.raises(NotifyError, match="certificate is not trusted"):
        email.PLUGIN.open(settings(mail, ca_file) | {"ca": None}).send(notice())
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    with pytest.raises(NotifyError, match="takes none of the addresses") as nobody:
        email.PLUGIN.open(settings(mail, ca_file, to=["nobody@council.test"])).send(notice())
    assert nobody.value.permanent
    for answer, permanent in (("552 too big", True), ("451 later", False)):
        mail.answer = lambda answer=answer: answer  # type: ignore[misc]
        with pytest.raises(NotifyError) as refused:
            email.PLUGIN.open(settings(mail, ca_file)).send(notice())
        assert refused.value.permanent is permanent
    mail.answer = lambda: "250 OK"


def test_a_password_is_not_sent_in_the_clear(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", CANARY)
    open_ = {"host": "mail.council.test", "sender": "a@b.test", "to": ["c@d.test"], "security": "none"}
    with pytest.raises(ConfigError, match="in the clear"):
        email.PLUGIN.open(open_ | {"user": "u", "password": "env:MAIL_PASSWORD"})


def test_a_webhook_is_signed_json(http: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", "a key")
    monkeypatch.setenv("HOOK_TOKEN", "a token")
    given = {"url": f"{http.url}/hook", "secret": "env:HOOK_KEY", "token": "env:HOOK_TOKEN"}
    sent = notice(title=HOSTILE)
    webhook.PLUGIN.open(given).send(sent)
    path, headers, body = http.requests[-1]
    assert path == "/hook"
    assert headers["webhook-id"] == headers["idempotency-key"] == sent.notice_id
    assert headers["webhook-signature"] == signature("a key", sent.notice_id, headers["webhook-timestamp"], body)
    assert headers["authorization"] == "Bearer a token"
    found = json.loads(body)
    assert (found["id"], found["kind"], found["state"], found["title"]) == (
        sent.notice_id,
        "opened",
        "critical",
        HOSTILE,
    )
    (alert,) = found["alerts"]
    assert (alert["step"], alert["population"]["link"], alert["url"]) == ("save", "wifi", "http://pages.test/why/v")
    assert alert["layers"] == [
        {"layer": "access_network", "component": "ap-7", "owner": "Netco", "share": 0.78, "low": 0.7, "high": 0.85}
    ]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own reference implementations."""
    body = b'{"test": 2432232314}'
    given = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("status", "headers", "permanent", "wait"), [
    (429, {"Retry-After": "77"}, False, 77.0),
    (503, {"Retry-After": "Fri, 27 Nov 2099 12:00:00 GMT"}, False, 1e6),
    (422, {}, True, None),
    (404, {"Retry-After": "5"}, False, None),
    (302, {"Location": "/elsewhere"}, False, None),
])  # fmt: skip
def test_what_a_webhook_answers(
    http: Receiver, status: int, headers: dict[str, str], permanent: bool, wait: float | None
) -> None:
    http.answer = lambda: (status, headers)
    before = len(http.requests)
    with pytest.raises(NotifyError, match=str(status)) as refused:
        webhook.PLUGIN.open({"url": f"{http.url}/{CANARY}"}).send(notice())
    http.answer = lambda: (204, {})
    assert refused.value.permanent is permanent
    assert refused.value.retry_after == wait or (wait == 1e6 and (refused.value.retry_after or 0) > wait)
    assert len(http.requests) == before + 1, "it went where it was led"
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("url", ["http://council.test/hook", "ftp://council.test", "not an address"])
def test_a_webhook_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        webhook.PLUGIN.open({"url": url})


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of Apprise's own modules
def test_apprise_reaches_a_service(
    http: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SERVICE", f"json://{http.url.removeprefix('http://')}/{CANARY}")
    channel = apprise.PLUGIN.open({"url": "env:SERVICE"})
    channel.send(notice())
    assert http.bodies[-1]["title"] == notice().message.title
    http.answer = lambda: (500, {})
    with caplog.at_level(logging.DEBUG), pytest.raises(NotifyError) as refused:
        channel.send(notice())
    http.answer = lambda: (204, {})
    assert CANARY not in str(refused.value) + caplog.text + repr(channel)


def test_what_fails_waits_and_keeps_its_order(http: Receiver, tmp_path: Path) -> None:
    registry = DatabaseRegistry(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    times = iter([NOW + timedelta(seconds=10 * number) for number in range(1000)])
    given = webhook.PLUGIN.open({"url": f"{http.url}/{CANARY}"})
    sender = Sender(
        registry=registry, channel="hook", notifier=given, give_up_after=timedelta(hours=1), clock=lambda: next(times)
    )
    first, second = notice(1, "hook"), notice(2, "hook")
    registry.put_alerts([], notices=[first, second], now=NOW)
    registry.put_alerts([], notices=[first, second], now=NOW)  # the same again changes nothing
    http.answer, before = lambda: (503, {"Retry-After": "300"}), len(http.requests)
    for _ in range(5):
        sender()
    assert len(http.requests) == before + 1, "told to wait, it waits, and nothing overtakes"
    waiting: Notice = registry.notices()[1]
    assert (waiting.state, waiting.attempts, waiting.remark) == (NoticeState.WAITING, 1, "the webhook answers 503")
    http.answer = lambda: (204, {})
    times = iter([NOW + timedelta(seconds=600 + number) for number in range(1000)])
    sender()
    assert [body["id"] for body in http.bodies[-2:]] == [first.notice_id, second.notice_id]
    registry.put_alerts([], notices=[notice(3, "hook")], now=NOW)
    times = iter([NOW + timedelta(hours=2, seconds=number) for number in range(1000)])
    sender()
    assert registry.notices()[0].state is NoticeState.GIVEN_UP
    assert len(http.requests) == before + 3
    registry.close()
    assert CANARY.encode() not in (tmp_path / "registry.sqlite").read_bytes()


def test_messages_of_other_sizes_go_too(http: Receiver) -> None:
    webhook.PLUGIN.open({"url": http.url}).send(notice(told=message().told * 50))
    assert len(http.bodies[-1]["alerts"]) == 50
