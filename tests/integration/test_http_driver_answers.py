"""What the HTTP driver sends and makes of answers: expected, captured, read back; secrets stay with their server."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from collector.model.run import Outcome
from tests.sites import raw
from tests.sites.walked import one, steps

pytestmark = pytest.mark.integration


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("expect", "kind", "words"),
    [
        ("{status: 404}", "status", "answered 200, expected 404"),
        ("{text: welcome}", "expect", "does not contain 'welcome'"),
        ("{not_text: ok}", "expect", "contains 'ok'"),
        ("{regex: '^no$'}", "expect", "matches"),
        ("{json: {a.0: x}}", "expect", "a.0 is not 'x'"),
    ],
)
def test_an_answer_that_is_not_as_expected(servers: ExitStack, expect: str, kind: str, words: str) -> None:
    port = servers.enter_context(raw.serving(raw.answering()))
    step = one(port, f"{{step: a, requests: [{{path: /, expect: {expect}}}]}}")
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, kind)
    assert words in (step.error or "")
    assert step.seconds is not None
    assert step.http_status == 200


def test_a_value_that_is_not_there_is_a_mistake_of_the_journey(servers: ExitStack) -> None:
    port = servers.enter_context(raw.serving(raw.answering()))
    step = one(port, "{step: a, requests: [{path: /, capture: {case: {link: {text: open}}}}]}")
    assert (step.outcome, step.error_kind) == (Outcome.BROKEN, "capture")
    assert "case" in (step.error or "")


def test_json_is_sent_captured_and_expected(servers: ExitStack) -> None:
    bodies: list[bytes] = []

    def api(connection: socket.socket) -> None:
        while True:
            received = connection.recv(65536)
            if not received:
                return
            while received.count(b"{") < 1 and b"POST" in received:
                received += connection.recv(65536)
            bodies.append(received)
            body = b'{"items": [{"id": 7, "title": "Smith"}], "ok": true}'
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Id: a/b\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    port = servers.enter_context(raw.serving(api))
    done = steps(
        port,
        """
  - step: ask
    action: read
    requests:
      - method: POST
        path: /search
        json: {name: "smith {run_id}", limit: 3, deep: [{secret: "{password}"}]}
        expect: {json: {items.0.title: Smith, ok: "true"}}
        capture: {id: {json: items.0.id}, head: {header: x-id}, word: {regex: '"(Smi)'}}
  - step: open
    requests: [{path: "/x/{id}/{word}", query: {h: "{head}"}}]
""",
        more="secrets: {password: }",
    )
    assert [step.outcome for step in done] == [Outcome.OK, Outcome.OK], done
    assert b'"limit":3' in bodies[0]
    assert b"canary-7781" in bodies[0]
    assert bodies[1].startswith(b"GET /x/7/Smi?h=a%2Fb HTTP/1.1")


def test_a_secret_does_not_follow_a_redirect_to_another_server(servers: ExitStack) -> None:
    reached: list[bytes] = []

    def foreign(connection: socket.socket) -> None:
        reached.append(raw.request_of(connection))
        connection.sendall(raw.ANSWER)

    other = servers.enter_context(raw.serving(foreign))
    away = b"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % other

    def redirecting(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(away)

    port = servers.enter_context(raw.serving(redirecting))
    secrets = "secrets: {password: }"
    post = 'requests: [{method: POST, path: /, form: {p: "{password}"}}]'
    step = one(port, f"{{step: a, sign_in: true, {post}}}", more=secrets)
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "address")
    assert reached == []
    assert "canary" not in (step.error or "")

    header = 'requests: [{path: /, headers: {X-Api-Key: "{password}"}}]'
    assert one(port, f"{{step: a, {header}}}", more=secrets).outcome is Outcome.OK
    assert len(reached) == 1
    assert b"canary" not in reached[0]

    trusted = f"{secrets}\ntrusted_origins: ['http://127.0.0.1:{other}']"
    assert one(port, f"{{step: a, {header}}}", more=trusted).outcome is Outcome.OK
    assert b"canary-7781" in reached[1]


def test_a_write_that_cannot_be_read_back_is_not_called_saved(servers: ExitStack) -> None:
    def application(connection: socket.socket) -> None:
        while request := raw.request_of(connection):
            if request.startswith(b"GET /gone"):
                return
            connection.sendall(raw.ANSWER)

    port = servers.enter_context(raw.serving(application))
    done = steps(
        port,
        """
  - {step: look, requests: [{path: /}]}
  - step: save
    action: write
    safe_record: ok
    requests: [{path: /save}]
    verify_saved: {path: /gone, marker: "{run_id}"}
""",
    )
    assert (done[1].outcome, done[1].error_kind) == (Outcome.FAILED, "not_verified")
    assert done[1].seconds is not None
