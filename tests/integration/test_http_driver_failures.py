"""What the HTTP driver makes of servers and networks that misbehave."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from collector.model.run import Outcome, Phase
from tests.sites import raw
from tests.sites.walked import one, steps

pytestmark = pytest.mark.integration


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


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
