"""TLS, client certificates and proxies, with real handshakes on loopback."""

import socket
import ssl
import threading
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from collector.model.access import Access, Link, Presentation
from collector.model.errors import ConfigError
from collector.model.run import Outcome, Phase, StepTiming
from probes.drivers.http.plugin import PLUGIN
from probes.journey.file import load
from probes.walk import Place, walk
from tests.sites import raw

pytestmark = pytest.mark.integration

PLACE = Place(site="council", endpoint="desk-1", access=Access(link=Link.WIRED, presentation=Presentation.LOCAL))
PASSPHRASE = "canary-passphrase"


def server_side(authority: trustme.CA, *, ask_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    if ask_client:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def get(folder: Path, url: str, *, more: str = "", **settings: object) -> StepTiming:
    file = folder / "day.yaml"
    steps = "steps: [{step: a, timeout: 5 s, requests: [{path: /}]}]"
    file.write_text(f"name: day\nvariables: {{base_url: '{url}'}}\n{more}\n{steps}", encoding="utf-8")
    journey = load(file)
    driver = PLUGIN.configured({"proxy": "none", **settings})
    secrets = dict.fromkeys(journey.secrets, PASSPHRASE)
    return walk(journey, driver, PLACE, slot=datetime.now(UTC), secrets=secrets, variables={}).steps[0]


def test_the_handshake_is_its_own_phase(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    port = servers.enter_context(raw.serving(raw.answering(), tls=server_side(authority)))
    step = get(tmp_path, f"https://localhost:{port}", ca_file=ca_file)
    assert (step.outcome, step.error) == (Outcome.OK, None)
    assert {Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.PROCESSING} <= set(step.phases)
    assert step.phases[Phase.TLS] > step.phases[Phase.CONNECT]  # signatures against one loopback round trip


def test_a_certificate_nobody_vouches_for_is_refused(servers: ExitStack, authority: trustme.CA, tmp_path: Path) -> None:
    port = servers.enter_context(raw.serving(raw.answering(), tls=server_side(authority)))
    step = get(tmp_path, f"https://localhost:{port}")
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "tls")
    assert "certificate verify failed" in (step.error or "").lower()
    assert Phase.TLS not in step.phases


def test_a_certificate_of_another_name_is_refused(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    port = servers.enter_context(raw.serving(raw.answering(), tls=context))
    assert get(tmp_path, f"https://localhost:{port}", ca_file=ca_file).error_kind == "tls"


def write_client_certificate(authority: trustme.CA, folder: Path) -> None:
    """Write client.pem and client.key, the key encrypted."""
    issued = authority.issue_cert("desk-1@example.org")
    issued.cert_chain_pems[0].write_to_path(folder / "client.pem")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    (folder / "client.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def test_a_client_certificate_is_shown(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    write_client_certificate(authority, tmp_path)
    port = servers.enter_context(raw.serving(raw.answering(), tls=server_side(authority, ask_client=True)))
    shown = "client_certificate: {certificate: client.pem, key: client.key, passphrase: pin}\nsecrets: {pin: }"
    step = get(tmp_path, f"https://localhost:{port}", more=shown, ca_file=ca_file)
    assert (step.outcome, step.error) == (Outcome.OK, None)

    without = get(tmp_path, f"https://localhost:{port}", ca_file=ca_file)
    assert (without.outcome, without.error_kind) == (Outcome.FAILED, "tls")


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("certificate: missing.pem", "No such file"),
        ("certificate: client.pem, key: client.key", "cannot be used"),
    ],
)
def test_an_unusable_client_certificate_is_not_ready(
    authority: trustme.CA, tmp_path: Path, certificate: str, words: str
) -> None:
    write_client_certificate(authority, tmp_path)
    step = get(tmp_path, "https://localhost:1", more=f"client_certificate: {{{certificate}}}")
    assert step.outcome is Outcome.NOT_READY
    assert words in (step.error or "")
    assert PASSPHRASE not in (step.error or "")


def tunnel(connection: socket.socket) -> None:
    """Be a proxy: answer CONNECT, then carry bytes both ways."""
    request = raw.request_of(connection)
    port = int(request.split(b" ")[1].rpartition(b":")[2])
    with socket.create_connection(("127.0.0.1", port)) as onward:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=carry, args=(onward, connection), daemon=True)
        back.start()
        carry(connection, onward)
        back.join(5)


def carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_asking_a_proxy_for_the_way_on_belongs_to_connect(
    servers: ExitStack, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    proxied: list[bytes] = []

    def noting(connection: socket.socket) -> None:
        proxied.append(connection.recv(65536, socket.MSG_PEEK))
        threading.Event().wait(0.2)  # a proxy that takes its time: this is connecting, not the application
        tunnel(connection)

    port = servers.enter_context(raw.serving(raw.answering(), tls=server_side(authority)))
    proxy = servers.enter_context(raw.serving(noting))
    address = f"http://user:canary-proxy@127.0.0.1:{proxy}"
    step = get(tmp_path, f"https://localhost:{port}", ca_file=ca_file, proxy=address)
    assert (step.outcome, step.error) == (Outcome.OK, None)
    assert proxied[0].startswith(b"CONNECT localhost:")
    assert b"proxy-authorization: basic" in proxied[0].lower()
    assert step.phases[Phase.CONNECT] >= 0.19
    assert step.phases[Phase.PROCESSING] < step.phases[Phase.CONNECT]
    assert Phase.TLS in step.phases


def test_a_plain_request_goes_through_the_environments_proxy(
    servers: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        asked.append(raw.request_of(connection))
        connection.sendall(raw.ANSWER)

    monkeypatch.setenv("http_proxy", f"127.0.0.1:{servers.enter_context(raw.serving(proxy))}")
    monkeypatch.setenv("no_proxy", "direct.example")
    step = get(tmp_path, "http://cases.example", proxy="environment")
    assert (step.outcome, step.error) == (Outcome.OK, None)
    assert asked[0].startswith(b"GET http://cases.example/ HTTP/1.1")


def test_a_proxy_that_refuses(servers: ExitStack, tmp_path: Path) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    proxy = servers.enter_context(raw.serving(raw.answering(refusal)))
    step = get(tmp_path, "https://localhost:1", proxy=f"http://127.0.0.1:{proxy}")
    assert (step.outcome, step.error_kind) == (Outcome.FAILED, "proxy")
    assert "407" in (step.error or "")


def test_settings_that_do_not_exist_are_mistakes() -> None:
    with pytest.raises(ConfigError) as error:
        PLUGIN.configured({"proxy": "ftp://x", "bogus": 1})
    assert len(error.value.mistakes) == 2
