"""What the HTTP driver makes of servers and networks that misbehave."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.model.access import Access, Link, Presentation
from collector.model.run import Outcome, Phase, StepTiming
from probes.drivers.http import PLUGIN
from probes.journey import parse
from probes.walk import Place, walk
from tests.sites import raw

pytestmark = pytest.mark.integration

PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def steps(port: int, journey_steps: str, *, host: str = "127.0.0.1", more: str = "") -> tuple[StepTiming, ...]:
    """Walk steps written as YAML against a port; the secret ``password`` has a value."""
    text = f"name: day\nvariables: {{base_url: 'http://{host}:{port}'}}\n{more}\nsteps:\n{journey_steps}"
    journey = parse(text, Path("day.yaml"))
    return walk(
        journey,
        PLUGIN.configured({"proxy": "none"}),
        PLACE,
        slot=datetime.now(UTC),
        secrets=dict.fromkeys(journey.secrets, "canary-7781"),
        variables={},
    ).steps


def one(port: int, step: str = "{step: a, timeout: 300 ms, requests: [{path: /}]}", **how: str) -> StepTiming:
    return steps(port, f"  - {step}", **how)[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def silent(connection: socket.socket) -> None:
    raw.request_of(connection)
    time.sleep(2)


def dripping(connection: socket.socket) -> None:
    """Send a byte often enough that no single read ever waits for long."""
    raw.request_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        connection.sendall(b"x")
        time.sleep(0.05)


def resetting(connection: socket.socket) -> None:
    raw.request_of(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closing(connection: socket.socket) -> None:
    raw.request_of(connection)


@pytest.mark.parametrize(("behaviour", "phase"), [(silent, Phase.PROCESSING), (dripping, Phase.TRANSFER)])
def test_a_timeout_is_censored_at_the_steps_one_deadline(
    servers: ExitStack, behaviour: raw.Behaviour, phase: Phase
) -> None:
    started = time.perf_counter()
    step = one(servers.enter_context(raw.serving(behaviour)))
    assert time.perf_counter() - started < 1.5  # forty reads of 50 ms each would take 2 s
    assert step.outcome is Outcome.TIMEOUT
    assert step.censored
    assert step.seconds == 0.3
    assert step.error_kind == phase
    assert "within 0.3 s" in (step.error or "")
    assert step.connection == "new"
    assert step.uncertainty_seconds is not None
    assert step.uncertainty_seconds < 0.2  # the wait that did not end is known, not uncertain
    assert Phase.CONNECT in step.phases


def test_the_deadline_is_shared_by_the_requests_of_a_step(servers: ExitStack) -> None:
    def slow(connection: socket.socket) -> None:
        while raw.request_of(connection):
            time.sleep(0.2)
            connection.sendall(raw.ANSWER)

    port = servers.enter_context(raw.serving(slow))
    step = one(port, "{step: a, timeout: 300 ms, requests: [{path: /1}, {path: /2}]}")
    assert step.outcome is Outcome.TIMEOUT
    assert step.requests == 2
    assert step.phases[Phase.PROCESSING] >= 0.2  # the first request's, which is complete


def test_nobody_listens() -> None:
    step = one(free_port())
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "connect")
    assert Phase.CONNECT not in step.phases
    assert step.connection is None
    assert "refused" in (step.error or "")


@pytest.mark.parametrize("behaviour", [resetting, closing])
def test_the_connection_breaks(servers: ExitStack, behaviour: raw.Behaviour) -> None:
    step = one(servers.enter_context(raw.serving(behaviour)))
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "reset")
    assert step.http_status is None


def test_an_answer_that_is_not_http(servers: ExitStack) -> None:
    step = one(servers.enter_context(raw.serving(raw.answering(b"SSH-2.0-OpenSSH\r\n\r\n"))))
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "protocol")


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    step = one(80, host="cases.example")
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "resolve")


def test_a_name_that_can_be_none() -> None:
    step = one(80, host=f"{'x' * 70}.example")
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "resolve")


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> list[object]:
        time.sleep(1)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", late)
    step = one(80, host="cases.example")
    assert (step.outcome, step.error_kind, step.seconds) == (Outcome.TIMEOUT, "resolve", 0.3)


def test_a_resolved_name_has_its_own_phase(servers: ExitStack) -> None:
    step = one(servers.enter_context(raw.serving(raw.answering())), host="localhost")
    assert step.outcome is Outcome.OK
    assert {Phase.RESOLVE, Phase.CONNECT, Phase.PROCESSING} <= set(step.phases)


def test_redirects_without_end(servers: ExitStack) -> None:
    step = one(
        servers.enter_context(
            raw.serving(raw.answering(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"))
        ),
        "{step: a, timeout: 5 s, requests: [{path: /}]}",
    )
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "redirect")


def test_a_slow_first_byte_is_processing_and_a_slow_body_is_transfer(servers: ExitStack) -> None:
    def slow(connection: socket.socket) -> None:
        raw.request_of(connection)
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        time.sleep(0.1)
        connection.sendall(b"k")

    step = one(servers.enter_context(raw.serving(slow)), "{step: a, timeout: 5 s, requests: [{path: /}]}")
    assert step.outcome is Outcome.OK
    assert step.phases[Phase.PROCESSING] >= 0.19
    assert step.phases[Phase.TRANSFER] >= 0.09
    assert step.phases[Phase.TRANSFER] < step.phases[Phase.PROCESSING]


def test_a_connection_the_server_closed_is_opened_again_and_measured(servers: ExitStack) -> None:
    def once(connection: socket.socket) -> None:
        raw.request_of(connection)
        connection.sendall(raw.ANSWER)

    port = servers.enter_context(raw.serving(once))
    first, second = steps(
        port, "  - {step: a, requests: [{path: /}]}\n  - {step: b, think: 100 ms, requests: [{path: /}]}"
    )
    assert (first.connection, second.connection) == ("new", "new")
    assert Phase.CONNECT in second.phases


def test_a_step_can_ask_for_a_new_connection(servers: ExitStack) -> None:
    port = servers.enter_context(raw.serving(raw.answering()))
    done = steps(
        port,
        "  - {step: a, requests: [{path: /}]}\n  - {step: b, requests: [{path: /}]}\n"
        "  - {step: c, connection: new, requests: [{path: /}]}",
    )
    assert [step.connection for step in done] == ["new", "reused", "new"]
    assert [Phase.CONNECT in step.phases for step in done] == [True, False, True]


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
