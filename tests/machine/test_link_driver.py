"""Every fault of an external link that loopback can make, each told by its own stable kind."""

import socket
import ssl
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from collector.model.run import Outcome, Phase, StepTiming
from tests.links import far_end
from tests.links.far_end import HELLO, in_days, look, server_side
from tests.sites import raw

pytestmark = pytest.mark.integration
CANARY = "canary-link-token"


def secured(servers: ExitStack, context: ssl.SSLContext, behaviour: raw.Behaviour | None = None) -> int:
    return servers.enter_context(raw.serving(behaviour or raw.answering(HELLO), tls=context))


def told(step: StepTiming) -> tuple[Outcome, str | None]:
    return step.outcome, step.error_kind


def test_a_good_link(servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    port = secured(servers, server_side(authority, not_after=in_days(100)))
    check = f"endpoint: {{url: 'https://localhost:{port}/status', expect: {{text: open, json: {{state: open}}}}}}"
    run = look(tmp_path, check, ca_file=ca_file)
    (step,) = run.steps
    assert (step.outcome, step.error_kind, step.error, step.http_status) == (Outcome.OK, None, None, 200)
    own = step.phases[Phase.SERVER_EXTERNAL]
    assert own == pytest.approx(step.phases[Phase.PROCESSING] - step.phases[Phase.CONNECT])
    whole = {Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.PROCESSING}  # one packet: no transfer
    assert set(step.phases) == {*whole, Phase.SERVER_EXTERNAL}
    assert step.seconds == pytest.approx(sum(step.phases.values()) - own, abs=step.uncertainty_seconds or 0)
    assert (step.requests, step.connection) == (1, "new")
    assert run.facts["a.tls"] == "TLSv1.3"
    assert run.facts["a.certificate_left"] in {"100.0 d", "99.9 d"}
    assert run.facts["a.certificate_issuer"].startswith("Testing CA")


@pytest.mark.parametrize(
    ("behaviour", "outcome", "kind", "phase"),
    [
        (far_end.reset_in_handshake, Outcome.FAILED, "reset_handshake", Phase.CONNECT),
        (far_end.hang_up, Outcome.FAILED, "closed_handshake", Phase.CONNECT),
        (raw.answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Outcome.TIMEOUT, "handshake_silent", Phase.CONNECT),
        (lambda connection: connection.sendall(b"SSH-2.0-x\r\n" * 9), Outcome.FAILED, "not_tls", Phase.CONNECT),
        (far_end.say_nothing, Outcome.TIMEOUT, "handshake_silent", Phase.CONNECT),
    ],
)
def test_what_goes_wrong_in_the_handshake(
    servers: ExitStack, tmp_path: Path, behaviour: raw.Behaviour, outcome: Outcome, kind: str, phase: Phase
) -> None:
    port = servers.enter_context(raw.serving(behaviour))
    (step,) = look(tmp_path, f"endpoint: {{url: 'https://localhost:{port}'}}", timeout="500 ms").steps
    assert told(step) == (outcome, kind), step.error
    assert phase in step.phases
    assert Phase.TLS not in step.phases


@pytest.mark.parametrize(
    ("behaviour", "outcome", "kind"),
    [
        (far_end.reset_after_request, Outcome.FAILED, "reset_request"),
        (far_end.hang_up, Outcome.FAILED, "closed_request"),
        (far_end.answer_after(1), Outcome.TIMEOUT, "slow_answer"),
        (far_end.answer_after(0, HELLO[:-4]), Outcome.FAILED, "closed_request"),
        (far_end.answer_and_stop(HELLO[:-4]), Outcome.TIMEOUT, "slow_transfer"),
        (far_end.answer_after(0, b"220 ftp.example ready\r\n"), Outcome.FAILED, "protocol"),
        (far_end.answer_after(0, b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), Outcome.FAILED, "status"),
        (far_end.answer_after(0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"), Outcome.FAILED, "expect"),
        (far_end.answer_after(0, b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\nContent-Length: 0\r\n\r\n"),
         Outcome.FAILED, "status"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_goes_wrong_after_the_request(
    servers: ExitStack,
    authority: trustme.CA,
    ca_file: Path,
    tmp_path: Path,
    behaviour: raw.Behaviour,
    outcome: Outcome,
    kind: str,
    scheme: str,
) -> None:
    tls = server_side(authority) if scheme == "https" else None
    port = servers.enter_context(raw.serving(behaviour, tls=tls))
    check = f"endpoint: {{url: '{scheme}://localhost:{port}', expect: {{text: open}}}}"
    (step,) = look(tmp_path, check, timeout="500 ms", ca_file=ca_file).steps
    assert told(step) == (outcome, kind), step.error
    assert (Phase.TLS in step.phases) == (scheme == "https")
    assert step.censored == (outcome is Outcome.TIMEOUT)


def test_refused_and_unknown_names(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        (step,) = look(tmp_path, f"endpoint: {{url: 'tcp://127.0.0.1:{port}'}}").steps
    assert told(step) == (Outcome.FAILED, "refused")
    assert "far end" in (step.error or "")
    (step,) = look(tmp_path, "endpoint: {url: 'https://link.invalid'}").steps
    assert told(step) == (Outcome.FAILED, "resolve")
    assert "name servers" in (step.error or "")


@pytest.mark.parametrize(
    ("names", "issue", "kind"),
    [
        ((), {"not_after": in_days(-1)}, "certificate_expired"),
        ((), {"not_before": in_days(1), "not_after": in_days(2)}, "certificate_expired"),
        (("elsewhere.example",), {}, "certificate_name"),
    ],
)
def test_certificates_that_are_refused(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path, names: tuple[str, ...],
    issue: dict[str, object], kind: str,
) -> None:  # fmt: skip
    port = secured(servers, server_side(authority, *names, **issue))
    (step,) = look(tmp_path, f"endpoint: {{url: 'https://localhost:{port}'}}", ca_file=ca_file).steps
    assert told(step) == (Outcome.FAILED, kind), step.error


def test_a_certificate_nobody_vouches_for(servers: ExitStack, authority: trustme.CA, tmp_path: Path) -> None:
    port = secured(servers, server_side(authority))
    (step,) = look(tmp_path, f"endpoint: {{url: 'https://localhost:{port}'}}").steps
    assert told(step) == (Outcome.FAILED, "certificate_untrusted")
    assert "firewall" in (step.error or "")


def test_a_certificate_that_ends_soon_is_told_and_measured(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    port = secured(servers, server_side(authority, not_after=in_days(12.5)))
    check = f"endpoint: {{url: 'https://localhost:{port}'"
    run = look(tmp_path, f"{check}}}", ca_file=ca_file)
    assert told(run.steps[0]) == (Outcome.OK, "certificate_expiring")
    assert "its own ends in 12.5 d" in (run.steps[0].error or "")
    assert run.outcome is Outcome.OK
    assert run.facts["a.certificate_left"] == "12.5 d"
    assert told(look(tmp_path, f"{check}, certificate_left: 10 d}}", ca_file=ca_file).steps[0]) == (Outcome.OK, None)


def test_an_authority_between_that_ends_first_is_named(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    between = authority.create_child_ca()
    leaf = between.issue_cert("localhost", not_after=in_days(200))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    port = secured(servers, context)
    check = f"endpoint: {{url: 'tls://localhost:{port}', certificate_left: 100000 d}}"
    (step,) = look(tmp_path, check, ca_file=ca_file).steps
    assert told(step) == (Outcome.OK, "certificate_expiring")
    left = float(look(tmp_path, check, ca_file=ca_file).facts["a.certificate_left"].removesuffix(" d"))
    assert left <= 200


def test_the_oldest_version_of_tls_is_a_limit(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    context = server_side(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    check = f"endpoint: {{url: 'https://localhost:{secured(servers, context)}', expect: {{text: open}}"
    assert look(tmp_path, f"{check}}}", ca_file=ca_file).facts["a.tls"] == "TLSv1.2"
    (step,) = look(tmp_path, f"{check}, minimum_tls: '1.3'}}", ca_file=ca_file).steps
    assert told(step) == (Outcome.FAILED, "tls_version"), step.error


def test_the_certificate_of_this_endpoint_is_shown_and_watched(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    issued = authority.issue_cert("desk-1@example.org", not_after=in_days(5))
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    context = server_side(authority, not_after=in_days(300))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    check = f"endpoint: {{url: 'https://localhost:{secured(servers, context)}'}}"
    run = look(tmp_path, check, more="client_certificate: {certificate: client.pem}", ca_file=ca_file)
    assert told(run.steps[0]) == (Outcome.OK, "client_certificate_expiring")
    assert run.facts["a.client_certificate_left"] == "5.0 d"
    (step,) = look(tmp_path, check, ca_file=ca_file).steps
    assert told(step) == (Outcome.FAILED, "client_certificate"), step.error


def test_a_far_end_that_speaks_first(servers: ExitStack, tmp_path: Path) -> None:
    def greet(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(b"SSH-2.0-drop\r\n")
        connection.recv(100)

    port = servers.enter_context(raw.serving(greet))
    (step,) = look(tmp_path, f"endpoint: {{url: 'tcp://127.0.0.1:{port}', expect: {{regex: '^SSH-2'}}}}").steps
    assert told(step) == (Outcome.OK, None)
    assert step.phases[Phase.PROCESSING] >= 0.19
    check = f"endpoint: {{url: 'tcp://127.0.0.1:{port}', expect: {{text: '220 '}}}}"
    (step,) = look(tmp_path, check, timeout="500 ms").steps
    assert told(step) == (Outcome.FAILED, "expect"), step.error


def test_a_question_over_a_plain_connection(servers: ExitStack, tmp_path: Path) -> None:
    def echo(connection: socket.socket) -> None:
        connection.sendall(b"you said " + connection.recv(100))

    port = servers.enter_context(raw.serving(echo))
    check = f"endpoint: {{url: 'tcp://127.0.0.1:{port}', send: 'ping {{who}}', expect: {{text: 'said ping {{who}}'}}}}"
    (step,) = look(tmp_path, check, more="variables: {who: us}").steps
    assert told(step) == (Outcome.OK, None), step.error


def test_a_secret_header_arrives_and_stays_there(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    got: list[bytes] = []

    def echo(connection: socket.socket) -> None:
        got.append(raw.request_of(connection))
        connection.sendall(b"HTTP/1.1 403 " + CANARY.encode() + b"\r\nContent-Length: 0\r\n\r\n")

    port = secured(servers, server_side(authority), echo)
    check = f"endpoint: {{url: 'https://localhost:{port}', headers: {{Authorization: 'Bearer {{pin}}'}}}}"
    run = look(tmp_path, check, more="secrets: {pin: }", secrets={"pin": CANARY}, ca_file=ca_file)
    assert b"uthorization: Bearer " + CANARY.encode() in got[0]
    assert told(run.steps[0]) == (Outcome.FAILED, "status")
    assert CANARY not in repr(run)


def test_an_address_that_is_none_is_the_journeys_mistake(tmp_path: Path) -> None:
    (step,) = look(tmp_path, "endpoint: {url: 'tcp://{host}'}", more="variables: {host: localhost}").steps
    assert told(step) == (Outcome.BROKEN, "address")
    assert step.seconds is None
